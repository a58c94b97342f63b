/** `sluice dispatcher get`. */
import { sluiceError } from "../../../core/errors.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { dispatcherSections, MEMBER_COLUMNS } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
  readonly netns?: string;
}

const HOOKS = ["xdp", "tc-ingress", "tc-egress"] as const;

async function get(this: CliContext, flags: Flags, word: string, device: string): Promise<void> {
  const hook = HOOKS.find((name) => name === word);
  if (hook === undefined) {
    const reason = `There is no hook "${word}": it must be ${HOOKS.join(", ")}`;
    throw sluiceError("USAGE", { reason, command: "sluice dispatcher get" });
  }
  const query = flags.netns === undefined ? {} : { netns: flags.netns };
  const place = { direct: flags.direct };
  const output = await perform(this, place, "dispatchers.get", { params: { hook, device }, query });
  if (flags.json) return answerJson(this, output);
  const { dispatcher } = output;
  const { members, slots } = dispatcher;
  return answer(
    this,
    [
      ...sectionLines(dispatcherSections(dispatcher)),
      "",
      `Members (${members.length}/${slots}):`,
      ...table(members, MEMBER_COLUMNS, this.process.stdout).map((line) => `  ${line}`),
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(get);
