/**
 * The bakery's commands as lines for tc, as the Python side writes them into `linux_tc.txt`. LibreQoS's own process wrote
 * some of them otherwise (majors without 0x, the trees of both directions on one interface, an unrounded default rate);
 * those were faults, and are not mirrored.
 */
import { formatRate, quantum } from "../libreqos/rates.ts";
import { hex, writeLines } from "../libreqos/lines.ts";
import type { LibreqosLink, LibreqosSettings } from "../libreqos/settings.ts";
import type { AddCircuitHtbClass, AddStructuralHtbClass, BakeryCommand } from "./model.ts";

const PRIO = 3;

function classLine(command: AddStructuralHtbClass | AddCircuitHtbClass): string {
  const { interface: dev, parent, classid, rateMbps, ceilMbps, r2q } = command;
  const rates = `rate ${formatRate(rateMbps)} ceil ${formatRate(ceilMbps)}`;
  return `class add dev ${dev} parent ${parent} classid ${classid} htb ${rates} prio ${PRIO} quantum ${quantum(ceilMbps, r2q)}`;
}

/** The interfaces whose trees are cleared; on a stick there is one. */
export const clearedDevices = ({ lan, internet, onAStick }: LibreqosLink): string[] =>
  onAStick ? [internet] : [internet, lan];

/** Takes a device's tree away. */
export const clearLine = (device: string): string => `qdisc delete dev ${device} root`;

/**
 * The lines of a command, without `tc` in front.
 *
 * @param settings interfaces, capacities and queues, which ClearPriorSettings and MqSetup go by
 */
export function commandLines(command: BakeryCommand, settings: LibreqosSettings): readonly string[] {
  switch (command.kind) {
    case "ClearPriorSettings":
      return clearedDevices(settings.link).map(clearLine);
    case "MqSetup":
      return writeLines({ nodes: [], squashed: new Set() }, settings).map(({ line }) => line);
    case "AddStructuralHTBClass":
    case "AddCircuitHTBClass":
      return [classLine(command)];
    case "AddCircuitQdisc": {
      const { interface: dev, parentMajor, parentMinor, sqmParams } = command;
      return [`qdisc add dev ${dev} parent ${hex(parentMajor)}:${hex(parentMinor)} ${sqmParams.join(" ")}`];
    }
    case "ExecuteTCCommands":
      return command.commands;
  }
}
