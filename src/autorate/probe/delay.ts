/** From a request and its answer to delays. Pure. */
import type { Both } from "../../core/both.ts";
import { dayDifference, type IcmpReply, stampFault, timeOfDay } from "../../linux/icmp/codec.ts";
import type { Fault } from "./fault.ts";
import type { Moment } from "./wall.ts";

/** What an answer says. */
export interface Delay {
  /** Round trip, ms, by our own clock alone. */
  readonly rtt: number;
  /** One way, ms; undefined when it cannot be told by this answer. */
  readonly owd?: Both<number>;
  /** What is wrong with its stamps. */
  readonly fault?: Fault;
  /** It gave our own stamp back as its own two, although it is not next door. */
  readonly copied?: boolean;
}

/** Longest a reflector may hold a packet, ms. */
const HOLD = 100;
/** By how much our two clocks may differ about the round trip, ms; more, and the time of day was set meanwhile. */
const OWN_CLOCK = 5;
/** From this round trip on no stamp can be the same at both ends by its nearness, ms. */
const NEXT_DOOR = 4;

/** Reckons the delays. */
export function delayOf(sent: Moment, received: Moment, reply: IcmpReply): Delay {
  const rtt = Math.max(0, received.monotonic - sent.monotonic);
  if (reply.kind === "echo") return { rtt };
  const { token, receive, transmit } = reply;
  const wrong = stampFault(receive, transmit);
  if (wrong) return { rtt, fault: wrong };
  const hold = dayDifference(transmit, receive);
  if (hold < 0 || hold > Math.min(HOLD, rtt + 1)) return { rtt, fault: "hold" };
  if (Math.abs(received.wall - sent.wall - rtt) > OWN_CLOCK) return { rtt };
  const owd = {
    upload: dayDifference(receive, timeOfDay(sent.wall)),
    download: dayDifference(timeOfDay(received.wall), transmit),
  };
  return { rtt, owd, copied: receive === token && transmit === token && rtt >= NEXT_DOOR };
}
