/** Which rules the kernel plane can carry, and why not the others. Pure. */
import type { Engine, PlaneOutput, PlaneRule } from "../model.ts";
import { MAX_OUTPUTS, type RowOutput, type RowRule, type RuleKey } from "./codec.ts";

/** A rule as the kernel plane would carry it, or why it cannot, as half a sentence. */
export type Verdict =
  | { readonly kernel: true; readonly key: RuleKey; readonly rule: RowRule }
  | { readonly kernel: false; readonly reason: string };

const NO_MAC = new Uint8Array(6);

/** Why an output cannot be served. */
function outputFault({ device, ifindex, mac, ownMac }: PlaneOutput): string | undefined {
  if (ifindex === 0) return `interface ${device} is not there`;
  if (ownMac && !mac) return `the hardware address of the next host on ${device} is not known yet`;
  if (mac && !ownMac) return `interface ${device} has no hardware address of its own`;
  return undefined;
}

/** What a rule is found by. */
export const keyOf = ({ ifindex, vlan, group, port, source }: PlaneRule): RuleKey => ({
  ifindex,
  vlan,
  group,
  port,
  ...(source && { source }),
});

const rowOutput = ({ slot, ifindex, group, port, ttl, dscp, source, mac, ownMac }: PlaneOutput): RowOutput => ({
  slot,
  ifindex,
  group,
  port,
  ttl,
  mac: mac ?? NO_MAC,
  ownMac: ownMac ?? NO_MAC,
  ...(dscp !== undefined && { dscp }),
  ...(source && { source }),
});

function fault(rule: PlaneRule, engine: Engine): string | undefined {
  const { outputs } = rule;
  if (engine === "user") return "the rule asks for the user plane";
  if (outputs.length === 0) return "it has no outputs";
  if (outputs.length > MAX_OUTPUTS) return `it has ${outputs.length} outputs, more than ${MAX_OUTPUTS}`;
  return outputs.map((output) => outputFault(output)).find((reason) => reason !== undefined);
}

/** Whether the kernel plane can carry a rule, and by which row. */
export function kernelVerdict(rule: PlaneRule, engine: Engine): Verdict {
  const reason = fault(rule, engine);
  if (reason !== undefined) return { kernel: false, reason };
  const { slot, cap, outputs } = rule;
  const mtu = Math.min(...outputs.map((output) => output.mtu));
  return { kernel: true, key: keyOf(rule), rule: { slot, mtu, cap, outputs: outputs.map((each) => rowOutput(each)) } };
}
