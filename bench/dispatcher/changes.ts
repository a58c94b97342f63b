/** How long attaching and detaching take, in process, by how many programs are there already. */
import { join } from "node:path";
import { loadPrograms, readObjectFile } from "../../src/dispatcher/manage.ts";
import { DispatcherLab } from "../../test/helpers/dispatcher-lab.ts";
import type { Row, Section } from "../report.ts";
import { elapsed, sample } from "../sample.ts";

const OBJECT = join(import.meta.dirname, "../../test/bpf/xdp-members.bpf.o");
const MOST = 10;

/** Measures attach and detach with 0 to 9 members there. */
export async function benchChanges(quick: boolean): Promise<Section> {
  const attach = Array.from({ length: MOST }, () => [] as number[]);
  const detach = Array.from({ length: MOST }, () => [] as number[]);
  using lab = new DispatcherLab();
  const request = {
    label: OBJECT,
    source: { kind: "file" as const, path: OBJECT },
    programs: [{ type: "xdp" as const, name: "pass_count" }],
    globals: {},
    metadata: {},
  };
  const image = readObjectFile(OBJECT);
  const programs: number[] = [];
  for (let i = 0; i < MOST; i += 1) programs.push((await loadPrograms(lab.dispatcher, request, image)).items[0]!.id);
  for (let run = 0; run < (quick ? 2 : 7); run += 1) {
    const links: number[] = [];
    for (const [there, program] of programs.entries())
      attach[there]!.push(await elapsed(async () => links.push((await lab.attach(program, "xdp")).id)));
    for (let there = MOST - 1; there >= 0; there -= 1)
      detach[there]!.push(await elapsed(() => lab.detach(links[there]!)));
  }
  const rows = (what: string, times: readonly number[][]): Row[] =>
    times.map((values, there) => ({
      what: `${what}, ${there} others there`,
      ours: sample(values),
      peer: { name: `${what}, none there`, sample: sample(times[0]!) },
    }));
  return { title: "Attach and detach", rows: [...rows("attach", attach), ...rows("detach", detach)] };
}
