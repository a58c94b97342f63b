/**
 * From rules to what planes carry out: names become numbers, choices become addresses, and whatever is not there now is said
 * so. Pure: the same rules and facts give the same result.
 */
import { addressBytes } from "../core/prefix.ts";
import type { Facts, LinkFact } from "./facts.ts";
import type { PlaneOutput, PlaneRule, Rule, RuleOutput } from "./model.ts";

/** How a rule is: `pending` waits for its input to appear, `paused` for it to come up, `idle` for an output. */
export type RuleStateWord = "active" | "pending" | "paused" | "idle";

/** How an output is. */
export interface OutputState {
  readonly slot: number;
  /** Why nothing can be sent by it now, as half a sentence; undefined when it can. */
  readonly reason?: string;
}

/** A rule with what becomes of it now. */
export interface Resolved {
  readonly rule: Rule;
  readonly state: RuleStateWord;
  /** Why it is not active. */
  readonly reason?: string;
  readonly slot: number;
  /** By the order of the rule's outputs. */
  readonly outputs: readonly OutputState[];
  /** What planes are told; absent unless it is active. */
  readonly plane?: PlaneRule;
}

/** Whether an address stands for a group. @param address 4 or 16 bytes */
export const isGroup = (address: Uint8Array): boolean =>
  address.length === 4 ? address[0]! >>> 4 === 0xe : address[0] === 0xff;

/** The hardware address of a group: RFC 1112, 6.4, and RFC 2464, 7. */
export const groupMac = (group: Uint8Array): Uint8Array =>
  group.length === 4
    ? Uint8Array.of(0x01, 0x00, 0x5e, group[1]! & 0x7f, group[2]!, group[3]!)
    : Uint8Array.of(0x33, 0x33, ...group.subarray(12));

/** The key of a rule's slot, and of its outputs'. */
export const slotKeys = ({ id, outputs }: Rule): readonly string[] => [
  id,
  // By where copies go: the counters of an output go on when another one is added before it.
  ...outputs.map(({ interface: device, group, port }) => `${id} ${device} ${group} ${port}`),
];

/** Why an interface cannot be used. */
const linkFault = (name: string, link: LinkFact | undefined): string | undefined => {
  if (!link) return `interface ${name} is not there`;
  return link.up ? undefined : `interface ${name} is down`;
};

function sourceOf(
  { source }: RuleOutput,
  ifindex: number,
  family: 4 | 6,
  facts: Facts,
): Uint8Array | string | undefined {
  switch (source.kind) {
    case "preserve":
      return undefined;
    case "address":
      return addressBytes(source.address);
    case "rewrite": {
      const own = facts.addresses.get(ifindex)?.[family];
      return own === undefined ? `it has no IPv${family} address to send from` : addressBytes(own);
    }
  }
}

function resolveOutput(output: RuleOutput, slot: number, facts: Facts): PlaneOutput | string {
  const link = facts.links.get(output.interface);
  const fault = linkFault(output.interface, link);
  if (!link || fault !== undefined) return fault!;
  const group = addressBytes(output.group);
  const source = sourceOf(output, link.ifindex, group.length === 4 ? 4 : 6, facts);
  if (typeof source === "string") return source;
  const mac = isGroup(group) ? groupMac(group) : facts.mac(link.ifindex, output.group);
  return {
    slot,
    ifindex: link.ifindex,
    device: link.name,
    group,
    port: output.port,
    ttl: output.ttl,
    mtu: link.mtu,
    ...(link.singly && { singly: true }),
    ...(output.dscp !== undefined && { dscp: output.dscp }),
    ...(source && { source }),
    ...(link.ethernet && link.mac && { ownMac: link.mac }),
    ...(link.ethernet && mac && { mac }),
  };
}

/** Resolves a rule. @param slotOf gives the slot of a key of {@link slotKeys} */
export function resolve(rule: Rule, facts: Facts, slotOf: (key: string) => number): Resolved {
  const [slot, ...slots] = slotKeys(rule).map((key) => slotOf(key));
  const made = rule.outputs.map((output, index) => resolveOutput(output, slots[index]!, facts));
  const outputs = made.map((output, index): OutputState => {
    const at = slots[index]!;
    return typeof output === "string" ? { slot: at, reason: output } : { slot: at };
  });
  const usable = made.filter((output) => typeof output !== "string");
  const { input } = rule;
  const link = facts.links.get(input.interface);
  const fault = linkFault(input.interface, link);
  const base = { rule, slot: slot!, outputs };
  if (!link || fault !== undefined) return { ...base, state: link ? "paused" : "pending", reason: fault! };
  if (usable.length === 0) return { ...base, state: "idle", reason: "none of its outputs can be used" };
  const plane: PlaneRule = {
    id: rule.id,
    slot: slot!,
    ifindex: link.ifindex,
    group: addressBytes(input.group),
    port: input.port,
    vlan: input.vlan ?? 0,
    class: rule.class,
    cap: rule.cap,
    outputs: usable,
    ...(input.source !== undefined && { source: addressBytes(input.source) }),
  };
  return { ...base, state: "active", plane };
}
