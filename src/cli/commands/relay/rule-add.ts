/** `sluice relay rule add INPUT OUTPUT...`: a rule that is kept across restarts. */
import type { NewRuleJson } from "../../../api/schemas/relay.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { ask } from "../../perform.ts";
import { warningLines } from "../../render/problems.ts";
import { ruleLines } from "../../render/relay.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly id?: string;
  readonly name?: string;
  readonly source?: string;
  readonly vlan?: number;
  readonly engine?: NewRuleJson["engine"];
  readonly class?: NewRuleJson["class"];
  readonly maxRate?: string;
  readonly maxPackets?: number;
}

async function add(this: CliContext, flags: Flags, input: string, ...outputs: string[]): Promise<void> {
  const { parseRuleWords } = await import("../../../control/relay/words.ts");
  const { id, name, source, vlan, engine, class: trafficClass, maxRate, maxPackets } = flags;
  const body: NewRuleJson = {
    ...parseRuleWords({ input, outputs, ...(maxRate !== undefined && { maxRate }) }),
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(source !== undefined && { source }),
    ...(vlan !== undefined && { vlan }),
    ...(engine && { engine }),
    ...(trafficClass && { class: trafficClass }),
    ...(maxPackets !== undefined && { maxPacketsPerSecond: maxPackets }),
  };
  const output = await ask(this, "relay.add", { body });
  if (flags.json) return answerJson(this, output);
  for (const line of warningLines(output.warnings)) note(this, line);
  return answer(this, ruleLines(output.rule, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(add);
