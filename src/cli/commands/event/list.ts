/** `sluice event list`: what happened, and with --follow what happens. */
import type { EventJson } from "../../../api/schemas/system.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask, follow } from "../../perform.ts";
import { printable } from "../../render/printable.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly limit?: number;
  readonly kind?: string;
  readonly follow: boolean;
}

const lineOf = ({ id, time, kind, severity, message }: EventJson): string =>
  `${id} ${time} ${severity} ${kind}: ${printable(message)}`;

async function list(this: CliContext, flags: Flags): Promise<void> {
  const query = {
    ...(flags.limit !== undefined && { limit: String(flags.limit) }),
    ...(flags.kind !== undefined && { kind: flags.kind }),
  };
  const output = await ask(this, "events", { query });
  if (flags.json && !flags.follow) return answerJson(this, output);
  const show = (event: EventJson): void => answer(this, flags.json ? JSON.stringify(event) : lineOf(event));
  output.events.forEach(show);
  if (!flags.follow) return undefined;
  const after = String(output.events.at(-1)?.id ?? 0);
  return follow(this, "events.stream", { query: { after } }, ({ event }) => {
    if (flags.kind === undefined || event.kind === flags.kind) show(event);
  });
}

/** Runs the command. */
export default reporting(list);
