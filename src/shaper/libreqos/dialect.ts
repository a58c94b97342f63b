/** The dialect as the shaper uses it: from the texts of the files to LibreQoS's lines and the state they lead to. */
import { cpus } from "node:os";
import { type Problem, problem, SluiceError } from "../../core/errors.ts";
import { withLiveRates } from "../live-rates.ts";
import type { Desired, Facts, ShaperConfig } from "../model.ts";
import { buildLibreqos, type LibreqosBuilt, type LibreqosFiles } from "./build.ts";
import { toDesired } from "./desired.ts";
import { optionsFromConfig } from "./from-config.ts";
import type { PlanOptions } from "../plan.ts";
import type { DialectPlan, MachineState } from "../shaper.ts";
import { planLibreqos } from "./plan.ts";
import type { PlacedNode } from "./ids.ts";
import { countQueues, type LibreqosOptions } from "./settings.ts";
import { libreqosSites } from "./sites.ts";

/** What LibreQoS would build here. */
interface LibreqosState {
  readonly built: LibreqosBuilt;
  readonly desired: Desired;
  readonly warnings: readonly Problem[];
}

/** The machine as LibreQoS asks for it. */
interface LibreqosMachine extends Pick<Facts, "devices"> {
  readonly processors: number;
}

/**
 * LibreQoS's plan for `Shaper.planAs`. Its ids come from the files alone, so the store is left as it is.
 *
 * @param options among them `processors`, of which LibreQoS wants at least two; those of this machine when left out
 * @throws SluiceError with everything that stands against it
 */
export function libreqosPlan(
  files: LibreqosFiles,
  config: ShaperConfig,
  machine: MachineState,
  options: PlanOptions & { readonly processors?: number },
): DialectPlan {
  const { processors = cpus().length } = options;
  const state = libreqosState(files, config, { devices: machine.facts.devices, processors });
  const sites = machine.live && libreqosSites(state.built, state.desired, config, machine.facts);
  const desired = sites ? withLiveRates(state.desired, sites, machine.live) : state.desired;
  const { actions } = planLibreqos(state.built.commands, desired, machine.observed, options);
  return { actions, warnings: state.warnings, allocation: machine.prior, ...(sites && { sites }) };
}

/** The configuration as LibreQoS's options. @throws SluiceError for a leaf that LibreQoS does not have */
function optionsOf(config: ShaperConfig): LibreqosOptions {
  const options = optionsFromConfig(config);
  if (options) return options;
  const reason = `LibreQoS has no leaf such as "${config.leaf.kind}": it wants cake or fq_codel with tc's options`;
  throw new SluiceError([problem("CONFIG_VALUE", { path: "shaper.leaf", reason })]);
}

/** What {@link checkLibreqos} counts and has to say. */
export interface LibreqosCheck {
  readonly counts: Readonly<Record<"nodes" | "circuits" | "devices" | "addresses", number>>;
  readonly problems: readonly Problem[];
}

/** Checks the files as LibreQoS would, for as many queues as it assumes when it only tries. */
export function checkLibreqos(files: LibreqosFiles, config: ShaperConfig): LibreqosCheck {
  const queuesAvailable = countQueues({ transmit: [], processors: 0, override: 0, dryRun: true })!;
  const { built, problems } = buildLibreqos(files, { ...optionsOf(config), queuesAvailable }, { rust: "ask" });
  const counts = { nodes: 0, circuits: 0, devices: 0, addresses: 0 };
  const count = (nodes: readonly PlacedNode[]): void => {
    for (const { circuits, children } of nodes) {
      counts.nodes += 1;
      counts.circuits += circuits.length;
      for (const { devices } of circuits.map(({ circuit }) => circuit)) {
        counts.devices += devices.length;
        counts.addresses += devices.reduce((sum, { ipv4s, ipv6s }) => sum + ipv4s.length + ipv6s.length, 0);
      }
      if (children) count(children);
    }
  };
  if (built) count(built.placement.nodes);
  return { counts, problems };
}

/** Builds it. @throws SluiceError with everything that keeps LibreQoS from starting, or that it would crash on */
function libreqosState(files: LibreqosFiles, config: ShaperConfig, machine: LibreqosMachine): LibreqosState {
  const transmit = [...machine.devices.values()].map(({ txQueues }) => txQueues);
  const { processors } = machine;
  const queuesAvailable = countQueues({ transmit, processors, override: config.queues ?? 0, dryRun: false });
  if (queuesAvailable === undefined) {
    const found = `${transmit.join(" and ")} queues and ${processors} processors`;
    throw new SluiceError([problem("LIBREQOS_QUEUES", { found })]);
  }
  const { built, problems } = buildLibreqos(files, { ...optionsOf(config), queuesAvailable }, { rust: "ask" });
  if (!built) throw new SluiceError(problems);
  const { desired, problems: losses } = toDesired(built);
  const all = [...problems, ...losses];
  if (!desired || all.some(({ severity }) => severity === "error")) throw new SluiceError(all);
  return { built, desired, warnings: all };
}
