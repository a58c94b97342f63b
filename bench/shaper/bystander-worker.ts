/**
 * Somebody else who needs the kernel's RTNL lock: changes the loopback's qdisc in a namespace of its own, some hundred
 * times a second, and when asked tells how long it had to wait at most since it was last asked.
 */
import { setTimeout } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import type { Verb } from "../../src/core/tc/verb.ts";
import { type EncodedBatch, MessageWriter } from "../../src/linux/netlink/message.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeQdisc } from "../../src/linux/netlink/tc/qdisc.ts";
import { Netns } from "../../src/linux/netns.ts";

const LOOPBACK = 1;

function message(verb: Verb, limit: number): EncodedBatch {
  const writer = new MessageWriter(256);
  encodeQdisc(writer, verb, LOOPBACK, { handle: handle(1), parent: TC_ROOT, qdisc: { kind: "bfifo", limit } });
  return writer.finish();
}

using ns = Netns.create();
using socket = RtnlSocket.open(ns);
socket.request(message("add", 1));

const state = { longest: 0, stopped: false };
parentPort!.on("message", (word: "report" | "stop") => {
  parentPort!.postMessage(state.longest);
  state.longest = 0;
  state.stopped = word === "stop";
});
for (let limit = 2; !state.stopped; limit += 1) {
  const change = message("change", limit);
  const begin = performance.now();
  socket.request(change);
  state.longest = Math.max(state.longest, performance.now() - begin);
  await setTimeout(1);
}
parentPort!.close();
