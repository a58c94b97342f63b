/**
 * The program of a worker: a process without privileges that forwards the packets of one interface, by sockets that its
 * supervisor opens. Descriptor 3 is the channel to the supervisor, 4 the memory of counters.
 *
 * Its one thread waits in poll(2) and not in Node's event loop, which has its turn some times a second, for signals.
 */
import { messageOf } from "../../core/errors.ts";
import { Channel } from "../../linux/channel.ts";
import { confine } from "../../linux/confined.ts";
import { Fd } from "../../linux/fd.ts";
import { type RingLayout, RxRing } from "../../linux/packet/ring.ts";
import { SharedMemory } from "../../linux/shared-memory.ts";
import { UserPlane } from "../user/plane.ts";
import { cellsFor } from "./cells.ts";
import type { WorkerWords } from "./message-codec.ts";
import { say } from "./say.ts";
import { Session } from "./session.ts";
import { warmUp } from "./warm-up.ts";

/** Between two turns of Node's event loop, ms. */
const LOOP = 50;
const now = (): number => performance.now();

const { options, unpinned } = confine();
const { slots } = options as WorkerWords;
const cells = cellsFor(slots);
const channel = new Channel(new Fd(3));
const memory = SharedMemory.open(new Fd(4), cells.length);
try {
  warmUp();
} catch (error) {
  // It works all the same, and a little slower at first.
  say("warning", `not warmed up: ${messageOf(error)}`);
}
const session = new Session<RxRing>({
  channel,
  numbers: memory.numbers,
  cells,
  openRing: (fd, layout) => new RxRing(fd, layout as RingLayout),
  openPlane: () => new UserPlane({ counters: memory.numbers, slots, clock: now }),
  now,
});
if (unpinned !== undefined) say("warning", `not bound to its processors: ${unpinned}`);

function finish(): void {
  const { rules, packets, bytes, copies, sendErrors, ring } = session.finish();
  say(
    "info",
    `final: ${rules} rules, ${packets} packets (${bytes} bytes) taken, ${copies} copies sent, ` +
      `${sendErrors} send errors, ${ring.drops} packets dropped by the kernel`,
  );
  process.exit(0);
}

function run(): void {
  const until = now() + LOOP;
  try {
    for (let goesOn = true; goesOn; goesOn = now() < until) if (!session.turn()) return finish();
  } catch (error) {
    say("error", messageOf(error));
    process.exit(1);
  }
  setImmediate(run);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => session.stop());
run();
