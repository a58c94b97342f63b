/** `sluice shaper circuit get`: one circuit, and what limits it. */
import type { CircuitJson } from "../../../api/schemas/shaper.ts";
import { humanBytes, humanRate } from "../../../core/units.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { type Direction, DIRECTIONS, limitText, OUT_OF_STEP } from "../../render/circuits.ts";
import { printable } from "../../render/printable.ts";
import { style, table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
}

type Line = readonly [label: string, show: (circuit: CircuitJson, direction: Direction) => string];

const counter =
  (key: "bytes" | "packets" | "drops" | "backlog", show: (n: number) => string): Line[1] =>
  (circuit, d) => {
    const { counters } = circuit[d];
    return counters ? show(counters[key]) : "-";
  };

const LINES: readonly Line[] = [
  ["plan", (circuit, d) => humanRate(circuit[d].planBitsPerSecond)],
  ["ceiling", (circuit, d) => humanRate(circuit[d].ceilBitsPerSecond)],
  ["limited by", (circuit, d) => limitText(circuit[d].limitedBy)],
  ["guaranteed", (circuit, d) => humanRate(circuit[d].rateBitsPerSecond)],
  ["class", (circuit, d) => `${circuit[d].device} ${circuit[d].classid}`],
  ["leaf", (circuit, d) => circuit[d].counters?.leaf ?? "-"],
  ["sent", counter("bytes", humanBytes)],
  ["packets", counter("packets", String)],
  ["drops", counter("drops", String)],
  ["backlog", counter("backlog", humanBytes)],
];

function pathLines(circuit: CircuitJson): string[] {
  if (circuit.path.length === 0) return ["path to the root: directly on the link"];
  const lines = circuit.pathCeilings.toReversed().map((node) => {
    const limited = DIRECTIONS.filter((d) => {
      const limit = circuit[d].limitedBy;
      return limit.kind === "node" && limit.name === node.name;
    });
    const mark = limited.length > 0 ? `  <- limits ${limited.join(" and ")}` : "";
    return `  ${printable(node.name)}: ${DIRECTIONS.map((d) => humanRate(node[d])).join(" / ")}${mark}`;
  });
  return ["path to the root:", ...lines, "  the link"];
}

async function get(this: CliContext, flags: Flags, id: string): Promise<void> {
  const output = await perform(this, flags, "shaper.circuit", { params: { id } });
  if (flags.json) return answerJson(this, output);
  if (!output.inStep) note(this, OUT_OF_STEP);
  const { circuit } = output;
  const out = this.process.stdout;
  const columns = [
    { title: "", cell: ([label]: Line) => label },
    ...DIRECTIONS.map((d) => ({ title: d.toUpperCase(), cell: ([, show]: Line) => show(circuit, d) })),
  ];
  const devices = circuit.devices.map(
    (device) => `  ${printable(device.name || device.id)}: ${device.addresses.join(", ") || "no address"}`,
  );
  return answer(
    this,
    [
      style("bold", printable(`${circuit.id} ${circuit.name}`), out),
      ...table(LINES, columns, out),
      ...pathLines(circuit),
      "devices:",
      ...devices,
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(get);
