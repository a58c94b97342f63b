/** Sluice's own relay, as people run it: a daemon with one rule, on either plane. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon } from "../../demo/daemon.ts";
import { BED, type RelayBed } from "./bed.ts";
import { type Contender, RELAY_CPU, type Running } from "./contender.ts";

/** How it shall relay. */
export interface OursOptions {
  readonly name: string;
  readonly engine: "kernel" | "user";
  readonly profile?: "throughput" | "latency";
  /** It shall let its input join packets. */
  readonly gro?: true;
}

const configuration = ({ engine, profile = "throughput", gro }: OursOptions, outputs: number): string => `
[log]
levels = "warning"

[relay]
engine = "${engine}"
profile = "${profile}"
gro = "${gro ? "on" : "keep"}"
pinning = { r0 = [${RELAY_CPU}] }

[[relay.rules]]
name = "bench"
interface = "r0"
group = "${BED.group}"
port = ${BED.port}
outputs = [
${Array.from({ length: outputs }, (_, i) => `  { interface = "o${i + 1}", group = "${BED.output(i + 1)}", port = ${BED.outputPort}, ttl = 8 },`).join("\n")}
]
`;

async function start(bed: RelayBed, options: OursOptions, outputs: number): Promise<Running> {
  await using owned = new AsyncDisposableStack();
  const root = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  owned.defer(() => {
    execFileSync("sh", ["-c", `umount ${root}/sys/fs/bpf/sluice 2>/dev/null; true`]);
    rmSync(root, { recursive: true });
  });
  let workers: number[] = [];
  const daemon = await Daemon.start({
    netns: bed.box.path,
    toml: configuration(options, outputs),
    root,
    cpu: RELAY_CPU,
    ready: async (client) => {
      const { rule } = await client.call("relay.rule", { params: { id: "bench" } });
      workers = (await client.call("relay.workers", {})).workers.flatMap(({ pid }) => pid ?? []);
      return rule.carriedBy === options.engine;
    },
  });
  owned.use(daemon);
  const kept = owned.move();
  return { pids: () => workers, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** One of Sluice's own. */
export const ours = (options: OursOptions): Contender => ({
  name: options.name,
  outputs: BED.most,
  start: (bed, outputs) => start(bed, options, outputs),
});
