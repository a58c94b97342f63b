/** `sluice relay trace RULE`: its next packets, with what became of each. */
import type { Output } from "../../../api/routes.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { ask } from "../../perform.ts";
import { type Column, table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly packets?: number;
  readonly seconds?: number;
}

type Packet = Output<"relay.trace">["packets"][number];

const COLUMNS: readonly Column<Packet>[] = [
  { title: "TIME", cell: ({ time }) => time },
  { title: "FROM", cell: ({ source }) => source },
  { title: "TO", cell: ({ destination }) => destination },
  { title: "BYTES", align: "right", cell: ({ bytes }) => String(bytes) },
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
];

async function trace(this: CliContext, flags: Flags, id: string): Promise<void> {
  const { packets, seconds } = flags;
  const query = {
    ...(packets !== undefined && { packets: String(packets) }),
    ...(seconds !== undefined && { seconds: String(seconds) }),
  };
  const output = await ask(this, "relay.trace", { params: { id }, query });
  if (flags.json) return answerJson(this, output);
  if (output.packets.length === 0) return note(this, `No packet of rule ${output.id} came`);
  return answer(this, table(output.packets, COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(trace);
