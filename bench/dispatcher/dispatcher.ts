/** The dispatcher: what packets pay for it, and what changes take. */
import type { Bench } from "../run.ts";
import { benchChanges } from "./changes.ts";
import { benchPackets } from "./packets.ts";

/** All of it. */
export const dispatcher: Bench = async function* dispatcher({ quick }) {
  yield await benchPackets(quick);
  yield await benchChanges(quick);
};
