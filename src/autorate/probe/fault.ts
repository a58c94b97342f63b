/** What makes a reflector's timestamps unfit, although it answers. */
import type { StampFault } from "../../linux/icmp/codec.ts";

/** `hold`: it says to have held the packet for long, or to have answered before it was asked. */
export type Fault = StampFault | "hold" | "clock" | "copied";

/** For people, after the name of the reflector. */
export const FAULT_TEXT: Readonly<Record<Fault, string>> = {
  "zero-stamp": "its stamps are zero",
  "nonstandard-time": "its stamps are not in milliseconds of the day",
  "stamp-range": "its stamps are no times of a day",
  hold: "its stamps do not fit the round trip",
  clock: "its clock is set again and again",
  copied: "it sends our own stamp back",
};

/** How many within a minute are too many; whoever copies has been watched for longer. */
export const FAULT_LIMIT: Readonly<Record<Fault, number>> = {
  "zero-stamp": 3,
  "nonstandard-time": 3,
  "stamp-range": 3,
  hold: 3,
  clock: 3,
  copied: 1,
};
