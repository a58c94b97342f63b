/** A stream of frames from a thread of its own, so that it goes on while a test changes the kernel under it. */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { sendto } from "../../src/linux/ffi.ts";

interface StreamData {
  /** A packet socket, shared with the thread that opened it. */
  readonly fd: number;
  readonly frames: readonly Uint8Array[];
  /** [0] is 1 when it shall stop; [1] counts frames. */
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly limit: number;
  /** Frames a second; as fast as it goes when 0. */
  readonly rate: number;
}

/** A running stream. */
export interface PacketStream {
  /** How many frames were sent so far. */
  sent(): number;
  /** Stops it and returns how many frames were sent in all. */
  stop(): Promise<number>;
}

/**
 * Sends the frames round and round until stopped, or `limit` frames at most. Resolves when the first are on their way.
 *
 * @param rate frames a second; as fast as it goes when left out
 */
export async function stream(
  fd: number,
  frames: readonly Uint8Array[],
  { limit = 5_000_000, rate = 0 }: { readonly limit?: number; readonly rate?: number } = {},
): Promise<PacketStream> {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { fd, frames, state, limit, rate } satisfies StreamData,
  });
  const ended = once(worker, "exit");
  await once(worker, "message");
  return {
    sent: () => Atomics.load(state, 1),
    async stop() {
      Atomics.store(state, 0, 1);
      await ended;
      return Atomics.load(state, 1);
    },
  };
}

/** Frames without a rest, of a stream that has a rate. */
const IN_A_ROW = 64;

if (!isMainThread) {
  const { fd, frames, state, limit, rate } = workerData as StreamData;
  const begin = performance.now();
  for (let sent = 0; sent < limit && Atomics.load(state, 0) === 0;) {
    const frame = frames[sent % frames.length]!;
    // A frame that the qdisc drops (ENOBUFS) has passed the classifier all the same.
    sendto(fd, frame, frame.length, 0, null, 0);
    sent += 1;
    // Ahead of its time it waits; behind, it sends at once, and lets the kernel do its part now and then: the queue of a veth
    // holds 256. This is what the rate is, not a guess at when things are done.
    if (rate > 0 && sent > ((performance.now() - begin) / 1000) * rate) Atomics.wait(state, 0, 0, 1);
    else if (rate > 0 && sent % IN_A_ROW === 0) Atomics.wait(state, 0, 0, 0.05);
    Atomics.store(state, 1, sent);
    if (sent === 1) parentPort!.postMessage("running");
  }
}
