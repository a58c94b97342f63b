/** What is shown of the shaper: the planned tree, with the kernel's counters. */
import type { Output } from "../../api/routes.ts";
import { sluiceError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { readCounters } from "../../shaper/counters.ts";
import { sidesOf } from "../../shaper/desired.ts";
import { Shaper } from "../../shaper/shaper.ts";
import { buildView, circuitsIn, type LinkView } from "../../shaper/view.ts";
import type { Inputs } from "../files.ts";
import { type Place, shaperPlace } from "../place.ts";
import { circuitJson, nodeJson } from "./json.ts";
import { planTree } from "./plan.ts";

/** The view. */
interface LoadedView {
  readonly view: LinkView;
  /** Whether the kernel holds just what the files say. */
  readonly inStep: boolean;
}

/** Reads store and kernel. */
function loadView(place: Place, inputs: Inputs): LoadedView {
  using shaper = Shaper.open(shaperPlace(place), inputs.config.link);
  const { built, facts, actions } = planTree(shaper, inputs, { regardless: true });
  const { sides } = sidesOf(inputs.config, facts);
  const counters = readCounters(shaper.socket, shaper.devices);
  const { tree, allocation } = built;
  const view = buildView({ tree, allocation, sides, counters, ...(place.live && { live: place.live.rates }) });
  return { view, inStep: actions.length === 0 };
}

/** The nodes, and the circuits when asked. */
export function treeOutput(place: Place, inputs: Inputs, withCircuits: boolean): Output<"shaper.tree"> {
  const { view, inStep } = loadView(place, inputs);
  return {
    schema: "sluice/shaper-tree/1",
    inStep,
    nodes: view.nodes.map((node) => nodeJson(node)),
    orphans: view.orphans.map((orphan) => circuitJson(orphan)),
    ...(withCircuits && { circuits: circuitsIn(view).map((circuit) => circuitJson(circuit)) }),
  };
}

/** Every circuit. */
export function circuitsOutput(place: Place, inputs: Inputs): Output<"shaper.circuits"> {
  const { view, inStep } = loadView(place, inputs);
  return {
    schema: "sluice/circuit-list/1",
    inStep,
    circuits: circuitsIn(view).map((circuit) => circuitJson(circuit)),
  };
}

/** One circuit. @throws SluiceError NOT_FOUND */
export function circuitOutput(place: Place, inputs: Inputs, id: string): Output<"shaper.circuit"> {
  const { view, inStep } = loadView(place, inputs);
  const circuits = circuitsIn(view);
  const found = circuits.find(({ circuit }) => circuit.id === id);
  if (found) return { schema: "sluice/circuit/1", inStep, circuit: circuitJson(found) };
  const near = nearest(
    id,
    circuits.map(({ circuit }) => circuit.id),
  );
  const hint = near === undefined ? "sluice shaper circuit list shows all of them" : `Did you mean "${near}"?`;
  throw sluiceError("NOT_FOUND", { noun: "circuit", id, hint });
}
