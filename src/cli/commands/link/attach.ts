/** What all attachments share: their flags, and the link that they answer with. */
import { sluiceError } from "../../../core/errors.ts";
import type { Dispatcher } from "../../../dispatcher/dispatcher.ts";
import type { Done, NetworkAttach } from "../../../dispatcher/manage.ts";
import type { LinkRecord, Side } from "../../../dispatcher/model.ts";
import { parseId } from "../../../dispatcher/words.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { answerPlan, type ChangeFlags, metadataOf, noteWarnings, openDispatcher } from "../../dispatcher-place.ts";
import { linkJson, linkSections } from "../../render/programs.ts";
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
export function parseSide(word: string): Side {
  if (word === "ingress" || word === "egress") return word;
  const reason = `Invalid direction "${word}": it must be ingress or egress`;
  throw sluiceError("USAGE", { reason, command: "sluice link attach tc" });
}

/** What every attachment to an interface is told by its flags and arguments. */
export function networkAttach(flags: NetworkFlags, program: string, device: string): NetworkAttach {
  const { netns, plan } = flags;
  return {
    programId: parseId(program),
    device,
    priority: wholeNumber(flags.priority, "priority"),
    metadata: metadataOf(flags),
    dryRun: plan,
    ...(netns !== undefined && { netns }),
  };
}

/** Attaches, and answers with the link. */
export async function attachAndAnswer(
  context: CliContext,
  flags: AttachFlags,
  attach: (dispatcher: Dispatcher) => Promise<Done<LinkRecord>>,
): Promise<void> {
  using dispatcher = openDispatcher(context, flags);
  const { change, items } = await attach(dispatcher);
  if (flags.plan) return answerPlan(context, change, flags);
  noteWarnings(context, change);
  const link = items[0]!;
  if (flags.json) return answerJson(context, "link", { link: linkJson(link, change.state, undefined) });
  return answer(context, sectionLines(linkSections(link, change.state, undefined)).join("\n"));
}
