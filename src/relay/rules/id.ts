/** Ids of rules, made of what they take, so that the same rule has the same id wherever it is written. Pure. */
import { addressBytes } from "../../core/prefix.ts";
import { sipHash13 } from "../../core/siphash.ts";
import type { RuleInput } from "../model.ts";

const UDP = 17;
/** Before the parts of an input; 0xFF ends the name of the interface, which has no such byte. */
const MARK = { name: 0xff, source: 0xfe, vlan: 0xfd } as const;

const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};

/**
 * The id of a rule that takes this: 16 hex digits of SipHash-1-3 over the interface's name, 0xFF, the group, the port in
 * little-endian and the protocol, as MCR has it; then the source and the VLAN, which it has not, where there are any.
 */
export function ruleId({ interface: device, group, port, source, vlan }: RuleInput): string {
  const parts = [Buffer.from(device), Buffer.of(MARK.name), addressBytes(group), u16(port), Buffer.of(UDP)];
  if (source !== undefined) parts.push(Buffer.of(MARK.source), addressBytes(source));
  if (vlan !== undefined) parts.push(Buffer.of(MARK.vlan), u16(vlan));
  return sipHash13(Buffer.concat(parts)).toString(16).padStart(16, "0");
}
