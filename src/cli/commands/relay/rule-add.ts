/** `sluice relay rule add INPUT OUTPUT...`: a rule that is kept across restarts. */
import type { NewRuleJson } from "../../../api/schemas/relay.ts";
import { sluiceError } from "../../../core/errors.ts";
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

async function capOf({ maxRate, maxPackets }: Flags): Promise<Partial<NewRuleJson>> {
  const { parseRate } = await import("../../../core/units.ts");
  const rate = maxRate === undefined ? undefined : parseRate(maxRate);
  if (maxRate !== undefined && rate === undefined) {
    const reason = `Cannot use --max-rate "${maxRate}": wanted a rate, such as 20Mbit`;
    throw sluiceError("USAGE", { reason, command: "sluice relay rule add" });
  }
  return {
    ...(rate !== undefined && { maxBitsPerSecond: rate }),
    ...(maxPackets !== undefined && { maxPacketsPerSecond: maxPackets }),
  };
}

async function add(this: CliContext, flags: Flags, input: string, ...outputs: string[]): Promise<void> {
  const { parseInput, parseOutput } = await import("../../../control/relay/words.ts");
  const { id, name, source, vlan, engine, class: trafficClass } = flags;
  const body: NewRuleJson = {
    ...parseInput(input),
    outputs: outputs.map((text) => parseOutput(text)),
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(source !== undefined && { source }),
    ...(vlan !== undefined && { vlan }),
    ...(engine && { engine }),
    ...(trafficClass && { class: trafficClass }),
    ...(await capOf(flags)),
  };
  const output = await ask(this, "relay.add", { body });
  if (flags.json) return answerJson(this, output);
  for (const line of warningLines(output.warnings)) note(this, line);
  return answer(this, ruleLines(output.rule, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(add);
