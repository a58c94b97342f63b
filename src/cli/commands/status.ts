/** `sluice status`. */
import { answer, answerJson, type CliContext } from "../context.ts";
import { ask } from "../perform.ts";
import { humanBytes } from "../../core/units.ts";
import { conditionLines } from "../render/health.ts";
import { sectionLines } from "../render/sections.ts";
import { reporting } from "../report.ts";

async function status(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "status", {});
  if (flags.json) return answerJson(this, output);
  const { conditions } = await ask(this, "health", {});
  const { configuration } = output;
  const held =
    configuration && `${configuration.id}${configuration.pinned ? " (pinned)" : ""}, ${configuration.loadedAt}`;
  const parts = output.parts.map(({ name, state, restarts, reason }) => {
    const again = restarts > 0 ? `, started again ${restarts} times: ${reason}` : "";
    return `${name} ${state}${again}`;
  });
  const entries = [
    ["State", `${output.state}: ${output.text}`],
    ["Version", output.version],
    ["Process", `${output.pid}, since ${output.startedAt}`],
    ["Configuration", held ?? undefined],
    ["Parts", parts],
    ["Memory", humanBytes(output.residentBytes)],
    ["Processor", `${output.cpuSeconds.toFixed(1)} s`],
  ] as const;
  return answer(this, [...sectionLines([{ title: "sluiced", entries }]), ...conditionLines(conditions)].join("\n"));
}

/** Runs the command. */
export default reporting(status);
