/** By which socket the copies of an output leave. */
import type { Fd } from "../linux/fd.ts";
import { type EgressWay, openEgress, openRawEgress } from "../linux/udp/egress.ts";
import { familyOf } from "../linux/udp/sockaddr.ts";
import type { PlaneOutput } from "./model.ts";
import type { SocketKind } from "./worker/message-codec.ts";

/** A socket, not open yet. */
export interface OutputSocketPlan {
  /** The same for all outputs that it would do for: those of one interface, address, TTL and class, wherever they send. */
  readonly key: string;
  readonly kind: SocketKind;
  /** Opens it in this thread's namespace. @throws SystemError */
  readonly open: () => Fd;
}

/** The one for an output: of UDP where copies have the source it says, and of whole frames where they keep theirs. */
export function outputSocket({ device, ifindex, group, source, ttl, dscp }: PlaneOutput): OutputSocketPlan {
  const family = familyOf(group);
  if (!source) {
    return { key: `raw ${family} ${ifindex}`, kind: "raw", open: () => openRawEgress({ device, ifindex, family }) };
  }
  // The kernel plane asks nobody whose address it is.
  const way: EgressWay = { device, ifindex, family, source, foreign: true, ttl, ...(dscp !== undefined && { dscp }) };
  const key = `udp ${ifindex} ${Buffer.from(source).toString("hex")} ${ttl} ${dscp ?? "any"}`;
  return { key, kind: "udp", open: () => openEgress(way) };
}
