/** `sluice dispatcher get`. */
import { sluiceError } from "../../../core/errors.ts";
import { findDevice } from "../../../dispatcher/manage.ts";
import { HOOK_NAMES, type HookName, keyText, membersOf, SLOTS } from "../../../dispatcher/model.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { openDispatcher } from "../../dispatcher-place.ts";
import { dispatcherJson, dispatcherSections, memberColumns } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly netns?: string;
}

async function get(this: CliContext, flags: Flags, hook: string, device: string): Promise<void> {
  if (!HOOK_NAMES.includes(hook as HookName)) {
    const reason = `There is no hook "${hook}": it must be ${HOOK_NAMES.join(", ")}`;
    throw sluiceError("USAGE", { reason, command: "sluice dispatcher get" });
  }
  using dispatcher = openDispatcher(this);
  const key = { hook: hook as HookName, ...findDevice(dispatcher, device, flags.netns) };
  const state = dispatcher.state();
  const record = state.dispatchers.get(keyText(key));
  if (!record) throw sluiceError("DISPATCHER_UNKNOWN", { ...key });
  if (flags.json) return answerJson(this, "dispatcher", { dispatcher: dispatcherJson(record, state) });
  const members = membersOf(state, key);
  return answer(
    this,
    [
      ...sectionLines(dispatcherSections(record)),
      "",
      `Members (${members.length}/${SLOTS}):`,
      ...table(members, memberColumns(state), this.process.stdout).map((line) => `  ${line}`),
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(get);
