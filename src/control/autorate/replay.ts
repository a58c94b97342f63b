/** A controller over a recorded trace. Reads files, touches nothing. */
import { resolve } from "node:path";
import type { LinkConfig, Options } from "../../autorate/config.ts";
import { type ControllerPlan, controllerPlan } from "../../autorate/controllers/registry.ts";
import { replay, replaySetup, type ReplayTick } from "../../autorate/record/replay.ts";
import { readTrace, type Trace, traceBounds, type TraceHeader, type TraceRun } from "../../autorate/record/trace.ts";
import { seeded } from "../../autorate/simulation/random.ts";
import { isScript } from "../../autorate/settings/controller-name.ts";
import { CONTROLLER_OPTIONS } from "../../autorate/settings/options.ts";
import { both } from "../../core/both.ts";
import { didYouMean } from "../../core/nearest.ts";
import { messageOf, SluiceError, sluiceError } from "../../core/errors.ts";
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
  /** Of the first run. */
  readonly header: TraceHeader;
  readonly faults: Trace["faults"];
  /** Of all runs, by the time since the first tick of the first. */
  readonly ticks: readonly ReplayTick[];
}

/** A configuration that says what a trace and the caller say, and nothing else. */
function configOf({ header, ticks }: TraceRun, { controller: wanted, options }: ReplayOrder): LinkConfig {
  const controller = isScript(wanted) ? resolve(wanted) : wanted;
  // What it was told then it is told again.
  const recorded = controller === header.controller ? header.options : undefined;
  return {
    name: header.link,
    controller,
    options: { ...recorded, ...options },
    plugins: [],
    pluginSettings: {},
    luaOnError: "min",
    directions: both((d) => ({
      target: { kind: "auto" as const, device: header.link },
      bounds: traceBounds(header.bounds[d]),
      threshold: ticks[0]!.input.directions[d].threshold,
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

function planOf(run: TraceRun, order: ReplayOrder): ControllerPlan {
  try {
    return controllerPlan(configOf(run, order), seeded(order.seed));
  } catch (error) {
    throw sluiceError("AUTORATE_TRACE", { file: order.path, reason: messageOf(error) }, { cause: error });
  }
}

/** Replays. @throws SluiceError FILE_UNREADABLE, AUTORATE_TRACE, USAGE for a controller that there is not */
export async function replayFile(order: ReplayOrder): Promise<Replayed> {
  const { path, controller, own } = order;
  if (!isScript(controller) && !Object.hasOwn(CONTROLLER_OPTIONS, controller)) {
    const names = Object.keys(CONTROLLER_OPTIONS);
    const hint = didYouMean(controller, names);
    const reason = `There is no controller "${controller}", only ${names.join(", ")} and paths of Lua scripts${hint}`;
    throw sluiceError("USAGE", { reason, command: "sluice autorate replay" });
  }
  const read = readText(path, "FILE_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  const trace = readTrace(read.text);
  if ("reason" in trace) throw sluiceError("AUTORATE_TRACE", { file: path, reason: trace.reason });
  const { runs, faults } = trace;
  const [first] = runs;
  if (!first) throw sluiceError("AUTORATE_TRACE", { file: path, reason: "there is no tick with a measurement in it" });
  const ticks: ReplayTick[] = [];
  for (const run of runs) {
    const since = (run.ticks[0]!.wall - first.ticks[0]!.wall) / 1000;
    await using driver = await planOf(run, order).open(replaySetup(run));
    ticks.push(...(await replay(run, driver, own)).map((tick) => ({ ...tick, at: tick.at + since })));
  }
  return { header: first.header, faults, ticks };
}
