/** Findings about the rates of nodes and circuits, from both trees. */
import { humanRate } from "../../../core/units.ts";
import { DIRECTIONS, type ShaperConfig } from "../../model.ts";
import { change, type CircuitPair, type NodePair } from "./compare.ts";
import { about, counted, type Finding, type FindingItem } from "./finding.ts";
import { pythonSqm, rustSqm } from "../sqm.ts";

function changes<T extends NodePair | CircuitPair>(
  pairs: readonly T[],
  kind: "ceil" | "rate",
  subject: (pair: T) => Omit<FindingItem, "text">,
): FindingItem[] {
  return pairs.flatMap((pair) => {
    const text = change(pair.printed[kind], pair.own[kind]);
    return text === undefined ? [] : { ...subject(pair), text };
  });
}

const nodeSubject = ({ name, own }: NodePair) => ({ subject: `node "${name}"`, where: own.source.where });
const circuitSubject = ({ id, old }: CircuitPair) => ({ subject: `circuit "${id}"`, where: old.circuit.where });

/** What changes for nodes. */
export function nodeFindings(pairs: readonly NodePair[]): Finding[] {
  return [
    ...about(
      "node-maximum",
      changes(pairs, "ceil", nodeSubject),
      (count) => `${counted(count, "node")} will have another maximum`,
      "LibreQoS cuts rates of nodes to whole Mbit/s, shows them with one decimal, and caps them by the line's uplink and with use_binpacking by generated_pn; sluice keeps them to the bit/s",
    ),
    ...about(
      "node-guarantee",
      changes(pairs, "rate", nodeSubject),
      (count) => `${counted(count, "node")} will have another guarantee`,
      "LibreQoS guarantees a node its whole maximum unless the file states a minimum, which it raises by the circuits of earlier siblings; sluice guarantees what is below a node and a share of what is spare, so that siblings never add up to more than there is",
    ),
  ];
}

/** Circuits whose cake LibreQoS gives a round trip time, or should. */
function rttItems(pairs: readonly CircuitPair[], sqm: string): FindingItem[] {
  return pairs.flatMap((pair) => {
    const texts = DIRECTIONS.flatMap((d) => {
      const rate = pair.old.max[d].value;
      const [before, after] = [pythonSqm(rate, sqm), rustSqm(rate, sqm)].map((leaf) => leaf.slice(sqm.length).trim());
      if (before === after) return [];
      const old = before === "" ? "no rtt" : `${before} (microseconds)`;
      return [`${d} ${old} becomes ${after}`];
    });
    return texts.length === 0 ? [] : { ...circuitSubject(pair), text: texts.join(", ") };
  });
}

function fastItems(pairs: readonly CircuitPair[], config: ShaperConfig): FindingItem[] {
  const isCake = config.leaf.kind === "cake" || config.leaf.kind === "auto";
  return pairs.flatMap((pair) => {
    const fast = DIRECTIONS.filter((d) => isCake && config.fastRate > 0 && pair.own.ceil[d] >= config.fastRate);
    return fast.length === 0
      ? []
      : { ...circuitSubject(pair), text: `${fast.join(" and ")}: fq_codel instead of cake` };
  });
}

/** What changes for circuits. @param sqm LibreQoS's default leaf */
export function circuitFindings(pairs: readonly CircuitPair[], config: ShaperConfig, sqm: string): Finding[] {
  return [
    ...about(
      "circuit-maximum",
      changes(pairs, "ceil", circuitSubject),
      (count) => `${counted(count, "circuit")} will have another maximum`,
      "A node above it had another (see there), or LibreQoS showed it to tc with one decimal; sluice keeps rates to the bit/s",
    ),
    ...about(
      "circuit-guarantee",
      changes(pairs, "rate", circuitSubject),
      (count) => `${counted(count, "circuit")} will have another guarantee`,
      "When the minimums of a node's circuits are more than the node's, LibreQoS sets all of them to 1 Mbit/s or 10 kbit/s; sluice keeps each, or scales all alike",
    ),
    ...about(
      "circuit-rtt",
      rttItems(pairs, sqm),
      (count) => `${counted(count, "slow circuit")} will have another round trip time in cake`,
      "LibreQoS writes it without a unit, which tc reads as microseconds, and only at exactly 1, 2, 3 and 4 Mbit/s; sluice sets milliseconds up to 4.5 Mbit/s",
    ),
    ...about(
      "circuit-fast",
      fastItems(pairs, config),
      (count) => `${counted(count, "fast circuit")} will have fq_codel`,
      `From ${humanRate(config.fastRate)} a cake takes more of a processor than there is; set fast_rate = "off" to keep it`,
    ),
  ];
}
