/** Who waits while a large tree is built: this process's event loop, and others that need the kernel's RTNL lock. */
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ANSWER_BUFFER, sendStep } from "../../src/linux/netlink/chunk.ts";
import { countOf, type EncodedBatch, MessageWriter } from "../../src/linux/netlink/message.ts";
import { encodeClass } from "../../src/linux/netlink/tc/class.ts";
import { encodeQdisc } from "../../src/linux/netlink/tc/qdisc.ts";
import type { Section } from "../report.ts";
import { alternate } from "../sample.ts";
import { applyActions, Device, runProgram, Yard } from "./device.ts";
import { type TcAction, treeActions } from "./trees.ts";

const CIRCUITS = 10_000;
const QUEUES = 16;
const CHUNKS = [16, 32, 64, 200] as const;

/** bystander-worker.ts, seen from here. */
class Bystander implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./bystander-worker.ts", import.meta.url));

  /** Its longest wait since it was last asked, in milliseconds. */
  async longest(word: "report" | "stop" = "report"): Promise<number> {
    this.#worker.postMessage(word);
    const [longest] = (await once(this.#worker, "message")) as [number];
    return longest;
  }

  /** Its longest wait while something is done. */
  async during(body: () => unknown): Promise<number> {
    await this.longest();
    await body();
    return await this.longest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.longest("stop");
  }
}

/** The longest time the event loop stands still while something is done, in milliseconds. */
async function stall(body: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await body();
  // A stall is seen when it is over, by the next timer.
  await setTimeout(5);
  delay.disable();
  return delay.max / 1e6;
}

function encode(actions: readonly TcAction[], ifindex: number): EncodedBatch {
  const writer = new MessageWriter();
  for (const { at } of actions) {
    if ("qdisc" in at) encodeQdisc(writer, "add", ifindex, at);
    else encodeClass(writer, "add", ifindex, at);
  }
  return writer.finish();
}

/** Sends everything from here, without a turn of the event loop, so many messages at a time. */
function buildInChunks(yard: Yard, device: Device, actions: readonly TcAction[], size: number): void {
  const batch = encode(actions, device.ifindex);
  const count = countOf(batch);
  using loan = yard.socket.lend(count);
  const sending = { ...batch, fd: loan.fd, sequence: loan.sequence };
  const buffer = new Uint8Array(ANSWER_BUFFER);
  for (let from = 0; from < count;) {
    const { tried, refusals } = sendStep(sending, from, size, buffer);
    if (refusals.size > 0) throw new Error("The kernel refused a part of the tree");
    from = tried;
  }
}

/** Measures both. */
export async function benchStalls(quick: boolean): Promise<Section> {
  using yard = new Yard();
  await using bystander = new Bystander();
  const actions = treeActions(CIRCUITS, QUEUES);
  const file = yard.batchFile(actions);
  /** Measures something on a device that comes before and goes after. */
  const onDevice = (measure: (device: Device) => Promise<number>) => async () => {
    using device = new Device(yard, QUEUES);
    return await measure(device);
  };
  const apply = (device: Device) => applyActions(yard.socket, device, actions);
  const inChunks = (size: number) =>
    onDevice((device) => bystander.during(() => buildInChunks(yard, device, actions, size)));
  const runs = quick ? 1 : 5;
  const { loop, waits, tc } = await alternate(runs, {
    loop: onDevice((device) => stall(() => apply(device))),
    waits: onDevice((device) => bystander.during(() => apply(device))),
    tc: onDevice(() => bystander.during(() => runProgram(yard.ns, "tc", ["-batch", file]))),
  });
  const chunks = await alternate(
    runs,
    Object.fromEntries(CHUNKS.map((size) => [`sent ${size} at once`, inChunks(size)])),
  );
  return {
    title: "Longest waits while 10,000 circuits are built over 16 HTBs",
    rows: [
      { what: "this process's event loop", ours: loop },
      {
        what: "another user of the RTNL lock",
        ours: waits,
        peer: { name: "while tc -batch builds", sample: tc },
      },
      ...Object.entries(chunks).map(([how, ours]) => ({
        what: `another user of the RTNL lock, messages ${how}`,
        ours,
      })),
    ],
  };
}
