/** The shaper on the real kernel, in throw-away namespaces, beside iproute2's tc. */
import type { Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { benchBuilds } from "./build.ts";
import { benchHosts } from "./hosts.ts";
import { benchLive } from "./live.ts";
import { benchNumbers } from "./numbers.ts";
import { benchStalls } from "./stalls.ts";

/** Everything about the shaper. */
export async function* shaper({ quick }: BenchOptions): AsyncGenerator<Section> {
  const { section, full } = await benchBuilds(quick);
  yield section;
  yield* benchLive(quick, full);
  yield await benchNumbers(quick);
  yield await benchStalls(quick);
  yield await benchHosts();
}
