/** A controller over a recorded trace. Reads files, touches nothing. */
import { resolve } from "node:path";
import type { LinkConfig, Options } from "../../autorate/config.ts";
import { controllerPlan } from "../../autorate/controllers/registry.ts";
import { replay, type ReplayTick } from "../../autorate/record/replay.ts";
import { readTrace, type Trace, traceBounds } from "../../autorate/record/trace.ts";
import { seeded } from "../../autorate/simulation/random.ts";
import { CONTROLLER_OPTIONS } from "../../autorate/settings/options.ts";
import { both } from "../../core/both.ts";
import { didYouMean } from "../../core/nearest.ts";
import { SluiceError, sluiceError } from "../../core/errors.ts";
import { readText } from "../../linux/text-file.ts";

export type { ReplayTick } from "../../autorate/record/replay.ts";

/** What is to be replayed. */
export interface ReplayOrder {
  readonly path: string;
  /** A name, or the path of a Lua script. */
  readonly controller: string;
  /** The controller goes on from its own rates, not from the recorded ones. */
  readonly own: boolean;
  readonly seed: number;
  readonly options: Options;
}

/** What came of it. */
export interface Replayed {
  readonly trace: Trace;
  readonly ticks: readonly ReplayTick[];
}

const isPath = (name: string): boolean => name.includes("/") || name.endsWith(".lua");

/** A configuration that says what a trace and the caller say, and nothing else. */
function configOf({ header }: Trace, { controller, options }: ReplayOrder): LinkConfig {
  const bounds = both((d) => traceBounds(header.bounds[d]));
  return {
    name: header.link,
    controller: isPath(controller) ? resolve(controller) : controller,
    options,
    plugins: [],
    pluginSettings: {},
    luaOnError: "min",
    directions: both((d) => ({
      target: { kind: "auto" as const, device: header.link },
      bounds: bounds[d],
      threshold: 15,
      adjust: false,
    })),
    probe: { modes: ["timestamp"], interval: 0.3, reflectors: 6, reselect: 900 },
    highLoad: header.highLoad,
    activeRate: header.activeRate,
    onSilence: "hold",
    idleSleep: 0,
    restore: false,
  };
}

/** Replays. @throws SluiceError FILE_UNREADABLE, AUTORATE_TRACE, USAGE for a controller that there is not */
export async function replayFile(order: ReplayOrder): Promise<Replayed> {
  const { path, controller, own, seed } = order;
  if (!isPath(controller) && !Object.hasOwn(CONTROLLER_OPTIONS, controller)) {
    const names = Object.keys(CONTROLLER_OPTIONS);
    const hint = didYouMean(controller, names);
    const reason = `There is no controller "${controller}", only ${names.join(", ")} and paths of Lua scripts${hint}`;
    throw sluiceError("USAGE", { reason, command: "sluice autorate replay" });
  }
  const read = readText(path, "FILE_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  const trace = readTrace(read.text);
  if ("reason" in trace) throw sluiceError("AUTORATE_TRACE", { file: path, reason: trace.reason });
  const [first] = trace.ticks;
  if (!first) throw sluiceError("AUTORATE_TRACE", { file: path, reason: "there is no tick with a measurement in it" });
  const { header } = trace;
  const setup = {
    bounds: both((d) => traceBounds(header.bounds[d])),
    start: header.start,
    now: first.input.now - first.input.elapsed,
    bytes: both((d) => {
      const { bytes, achieved } = first.input.directions[d];
      return bytes - Math.round((achieved * 1000 * first.input.elapsed) / 8);
    }),
    period: header.period,
  };
  await using driver = await controllerPlan(configOf(trace, order), seeded(seed)).open(setup);
  return { trace, ticks: await replay(trace, driver, own) };
}
