/** What all attachments share: their flags, and the link that they answer with. */
import type { Call } from "../../../api/routes.ts";
import { sluiceError } from "../../../core/errors.ts";
import { answerPlan, type ChangeFlags, changeOf, metadataOf, noteWarnings } from "../../change.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform } from "../../perform.ts";
import { linkSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";

/** Flags of every attachment. */
export interface AttachFlags extends ChangeFlags {
  readonly metadata?: readonly string[];
}

/** Flags of attachments to an interface. */
export interface NetworkFlags extends AttachFlags {
  readonly priority: string;
  readonly netns?: string;
}

/** A whole number of a flag or argument. @throws SluiceError USAGE */
export function wholeNumber(word: string, what: string): number {
  if (/^-?\d+$/.test(word)) return Number(word);
  const reason = `Cannot use the ${what} "${word}": it must be a whole number`;
  throw sluiceError("USAGE", { reason, command: "sluice link attach" });
}

/** A side of an interface. @throws SluiceError USAGE */
export function parseSide(word: string): "ingress" | "egress" {
  if (word === "ingress" || word === "egress") return word;
  const reason = `Invalid direction "${word}": it must be ingress or egress`;
  throw sluiceError("USAGE", { reason, command: "sluice link attach tc" });
}

/** What every attachment is told by its flags and first argument. @throws SluiceError USAGE */
export async function attachOf(flags: AttachFlags, program: string) {
  const { parseId } = await import("../../../control/words.ts");
  return { programId: parseId(program), metadata: await metadataOf(flags), ...changeOf(flags) };
}

/** What every attachment to an interface is told by its flags and arguments. @throws SluiceError USAGE */
export async function networkOf(flags: NetworkFlags, program: string, device: string) {
  const common = await attachOf(flags, program);
  const priority = wholeNumber(flags.priority, "priority");
  return { ...common, device, priority, ...(flags.netns !== undefined && { netns: flags.netns }) };
}

/** Attaches, and answers with the link. */
export async function attachAndAnswer(
  context: CliContext,
  flags: AttachFlags,
  body: Call<"links.attach">["body"],
): Promise<void> {
  const output = await perform(context, { direct: flags.direct }, "links.attach", { body });
  if (output.schema === "sluice/dispatcher-plan/1") return answerPlan(context, output, flags);
  if (flags.json) return answerJson(context, output);
  noteWarnings(context, output);
  return answer(context, sectionLines(linkSections(output.link)).join("\n"));
}
