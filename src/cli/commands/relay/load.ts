/** `sluice relay load FILE`: adds the rules of a file; those that are there as they shall be are not touched. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { ask } from "../../perform.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly replace: boolean;
}

async function load(this: CliContext, { json, replace: only }: Flags, path: string): Promise<void> {
  const { planLoad, readRuleFile } = await import("../../../control/relay/file.ts");
  const { shownRule } = await import("../../../control/relay/json.ts");
  const { rules, warnings } = readRuleFile(path);
  for (const line of warningLines(warnings)) note(this, line);
  const there = (await ask(this, "relay.rules", {})).rules;
  const added = there.filter(({ origin }) => origin === "dynamic").map((rule) => shownRule(rule));
  const fixed = there.filter(({ origin }) => origin === "static").map((rule) => shownRule(rule));
  const { add, replace, remove, kept } = planLoad(rules, added, fixed, only);
  // What goes may take what comes.
  for (const id of remove) await ask(this, "relay.remove", { params: { id } });
  for (const body of [...replace, ...add]) await ask(this, "relay.add", { body });
  const counts = { added: add.length, replaced: replace.length, removed: remove.length, kept };
  if (json) return answerJson(this, { schema: "sluice/relay-load/1", ...counts });
  return answer(
    this,
    `${add.length} added, ${replace.length} replaced, ${remove.length} removed, ${kept} as they were`,
  );
}

/** Runs the command. */
export default reporting(load);
