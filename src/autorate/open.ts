/** From a link's configuration to a link that runs: reflectors, targets, controller and plugins put together. */
import { setTimeout as sleep } from "node:timers/promises";
import { both, type Both, type Direction, DIRECTIONS } from "../core/both.ts";
import type { Clock } from "../core/clock.ts";
import { SluiceError } from "../core/errors.ts";
import type { RateTarget } from "../core/rate-target.ts";
import { milliseconds } from "../core/units.ts";
import { openNetns } from "../linux/netns.ts";
import type { OwnPorts } from "../linux/netlink/ports.ts";
import type { LinkConfig } from "./config.ts";
import { controllerPlan } from "./controllers/registry.ts";
import type { PluginState } from "./lua/plugins.ts";
import { type Bounds, NO_BOUNDS, type Random } from "./model.ts";
import type { ReflectorState } from "./probe/known.ts";
import { Prober } from "./probe/prober.ts";
import { Recorder } from "./record/recorder.ts";
import type { TickRecord } from "./record/tick.ts";
import { headerBounds } from "./record/trace.ts";
import { readReflectors } from "./reflectors/file.ts";
import { Aim } from "./runner/aim.ts";
import { swapped, turned } from "./runner/facing.ts";
import { type LinkEvent, LinkRunner, type PluginChain } from "./runner/link.ts";
import { settle } from "./runner/settle.ts";
import type { Reflector } from "./reflectors/reflector.ts";
import { openTarget } from "./targets/open.ts";

/** What links share, and whom they tell. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Name or path of the network namespace; this process's own when left out. */
  readonly netns?: string;
  /** Sockets by which the kernel is changed. */
  readonly ports?: OwnPorts;
  /** Rates to go on from, kbit/s: those that were found before, where this link follows another one. */
  readonly begin?: Partial<Both<number>>;
  /** Gives a node of the shaper's tree. */
  readonly site?: (name: string, direction: Direction) => RateTarget;
  readonly happened: (event: LinkEvent | FileEvent | PluginEvent) => void;
  readonly ticked: (record: TickRecord) => void;
}

/** A file that cannot be written. */
export interface FileEvent {
  readonly kind: "file-failed";
  readonly path: string;
  readonly reason: string;
}

/** A plugin that is not asked any more. */
export interface PluginEvent {
  readonly kind: "plugin-disabled";
  readonly path: string;
  readonly reason: string;
}

/** A link that runs. */
export interface OpenLink extends AsyncDisposable {
  readonly config: LinkConfig;
  readonly runner: LinkRunner;
  readonly aims: Partial<Both<Aim>>;
  /** Between ticks, s. */
  readonly period: number;
  reflectors(): readonly ReflectorState[];
  usable(): { readonly count: number; readonly reason?: string };
  plugins(): readonly PluginState[];
  /** Ticks until it is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

async function openPlugins(
  config: LinkConfig,
  bounds: Both<Bounds>,
  period: number,
  { clock, random, happened }: Surroundings,
): Promise<{ chain: PluginChain; states: () => readonly PluginState[]; close: () => Promise<void> } | undefined> {
  if (config.plugins.length === 0) return undefined;
  const [{ Plugins }, { luaSettings }, { readingsOf }] = await Promise.all([
    import("./lua/plugins.ts"),
    import("./lua/settings.ts"),
    import("./lua/bridge.ts"),
  ]);
  const now = clock.monotonic() / 1000;
  const setup = { bounds, start: both((d) => bounds[d].base), now, bytes: both(() => 0), period };
  const disabled = ({ path, reason = "" }: PluginState): void => happened({ kind: "plugin-disabled", path, reason });
  const plugins = await Plugins.open(config.plugins, luaSettings(config, setup), { random, clock, disabled });
  const chain: PluginChain = {
    async process({ input, decision }) {
      const readings = readingsOf(input, decision, now);
      return readings && plugins.process(readings);
    },
  };
  return { chain, states: () => plugins.states, close: () => plugins[Symbol.asyncDispose]() };
}

/** Between looks at a link that sleeps, s: traffic wakes it so soon. */
const ASLEEP = 0.5;

/** @throws SluiceError with every fault of the list */
function reflectorsOf({ probe }: LinkConfig): readonly Reflector[] {
  const { reflectors, problems } = readReflectors(probe.reflectorFile);
  if (problems.some(({ severity }) => severity === "error")) throw new SluiceError(problems);
  return reflectors;
}

/** Nothing is open before the first look; the runner closes them. */
function openAims(config: LinkConfig, surroundings: Surroundings): Partial<Both<Aim>> {
  const { clock, netns, ports, site } = surroundings;
  const made = DIRECTIONS.flatMap((direction) => {
    const wanted = config.directions[direction];
    if (!wanted) return [];
    const target = openTarget(wanted.target, {
      direction,
      clock,
      dryRun: !wanted.adjust,
      ...(netns !== undefined && { netns }),
      ...(ports && { ports }),
      ...(site && { site }),
    });
    return [[direction, new Aim(wanted, target)] as const];
  });
  return Object.fromEntries(made);
}

/** What is known of a reflector on the subscribers' side. */
const turnedState = ({ baseline, delta, ...state }: ReflectorState): ReflectorState => ({
  ...state,
  ...(baseline && { baseline: { ...baseline, owd: swapped(baseline.owd) } }),
  ...(delta && { delta: swapped(delta) }),
});

/**
 * Opens a link.
 *
 * @throws SluiceError what is wrong with its list of reflectors, its Lua controller, or its rights
 */
export async function openLink(config: LinkConfig, surroundings: Surroundings): Promise<OpenLink> {
  const { clock, random, begin, happened, ticked, netns } = surroundings;
  await using opened = new AsyncDisposableStack();
  const bounds = both((d) => config.directions[d]?.bounds ?? NO_BOUNDS);
  const behind = config.probe.side === "subscribers";
  const plan = controllerPlan(config, random);
  const { period } = plan;
  const start = both((d) => settle(begin?.[d] ?? bounds[d].base * plan.share, bounds[d]));
  // A script that cannot be used is told of before anything is changed.
  const driver = opened.use(
    await plan.open({ bounds, start, now: clock.monotonic() / 1000, bytes: both(() => 0), period }),
  );
  const ns = netns === undefined ? undefined : opened.use(openNetns(netns));
  const prober = new Prober({
    config: config.probe,
    name: config.name,
    clock,
    random,
    reflectors: reflectorsOf(config),
    ...(ns && { netns: ns }),
  });
  opened.use(prober);
  const plugins = await openPlugins(config, bounds, period, surroundings);
  if (plugins) opened.defer(() => plugins.close());
  const aims = openAims(config, surroundings);
  const header = {
    schema: "sluice/autorate-trace/1" as const,
    link: config.name,
    controller: config.controller,
    options: config.options,
    period,
    bounds: headerBounds(bounds),
    start,
    highLoad: config.highLoad,
    activeRate: config.activeRate,
  };
  const failed = (path: string, reason: string): void => happened({ kind: "file-failed", path, reason });
  const recorder = opened.use(new Recorder(config, header, clock.now(), failed));
  const runner = new LinkRunner({
    config,
    clock,
    ear: behind ? turned(prober) : prober,
    aims,
    start,
    driver,
    ...(plugins && { plugins: plugins.chain }),
    happened,
    ticked: (record) => {
      recorder.take(record, runner.history());
      ticked(record);
    },
  });
  opened.use(runner);
  const closing = opened.move();
  return {
    config,
    runner,
    aims,
    period,
    reflectors: () => (behind ? prober.table.map((state) => turnedState(state)) : prober.table),
    usable: () => prober.usable,
    plugins: () => plugins?.states() ?? [],
    async run(signal) {
      prober.start();
      let next = clock.monotonic();
      while (!signal.aborted) {
        await runner.tick();
        const now = clock.monotonic();
        const wait = runner.state === "idle" ? Math.max(period, ASLEEP) : period;
        // Ticks that were missed are not made up for.
        next = milliseconds(Math.max(next + wait * 1000, now));
        await sleep(Math.max(1, next - now), undefined, { signal }).catch(() => undefined);
      }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
