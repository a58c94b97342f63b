/**
 * Reflectors made by hand: a thread that answers ICMP for addresses that no kernel owns, on one interface of a namespace,
 * with whatever delay, clock or fault it is told. The addresses must be routed to a host behind that interface that does
 * not forward, so that its kernel drops what this answers.
 */
import { once } from "node:events";
import { isMainThread, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { writeSync, readSync } from "node:fs";
import { check } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, eventfd, ifNameToIndex, ppoll, recv, sendto, socket } from "../../src/linux/ffi.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { answer, type Behaviour, readRequest } from "./icmp-answer.ts";

const AF_PACKET = 17;
const SOCK_RAW_FLAGS = 3 | 0o2000000 | 0o4000;
const ETH_P_ALL = 3;
const EVENTFD_FLAGS = 0o2000000 | 0o4000;
/** Places in the counters. */
const COUNT = { timestamp: 0, echo: 1, answered: 2, stop: 3 } as const;

interface ReflectorData {
  readonly fd: number;
  readonly wake: number;
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly counts: Int32Array<SharedArrayBuffer>;
}

/** Addresses as the thread sees them in frames. */
const inFrame = (address: string): string => {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): string[] => text.split(":").filter(Boolean);
  const middle = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
  return [...groups(head), ...middle, ...groups(tail)].map((group) => group.padStart(4, "0")).join(":");
};

/** Running reflectors. */
export class Reflectors implements AsyncDisposable {
  readonly #owned: DisposableStack;
  readonly #wake: Fd;
  readonly #worker: Worker;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #behaviours: Record<string, Behaviour>;

  private constructor(owned: DisposableStack, wake: Fd, worker: Worker, data: ReflectorData) {
    this.#owned = owned;
    this.#wake = wake;
    this.#worker = worker;
    this.#counts = data.counts;
    this.#behaviours = { ...data.behaviours };
  }

  /** Answers for these addresses from now on, each in its way. */
  static async start(ns: Netns, device: string, behaviours: Readonly<Record<string, Behaviour>>): Promise<Reflectors> {
    using owned = new DisposableStack();
    const wake = owned.use(new Fd(check("eventfd", eventfd(0, EVENTFD_FLAGS))));
    const fd = owned.use(
      ns.run(() => {
        const made = new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW_FLAGS, 0)));
        // struct sockaddr_ll: u16 family, u16 protocol (big endian), s32 ifindex.
        const address = Buffer.alloc(20);
        address.writeUInt16LE(AF_PACKET, 0);
        address.writeUInt16BE(ETH_P_ALL, 2);
        address.writeInt32LE(ifNameToIndex(device), 4);
        check(`bind ${device}`, bind(made.number, address, address.length));
        return made;
      }),
    );
    const known = Object.fromEntries(Object.entries(behaviours).map(([address, how]) => [inFrame(address), how]));
    const counts = new Int32Array(new SharedArrayBuffer(16));
    const data: ReflectorData = { fd: fd.number, wake: wake.number, behaviours: known, counts };
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    await once(worker, "message");
    return new Reflectors(owned.move(), wake, worker, data);
  }

  /** Requests seen so far by kind, and answers sent. */
  get counts(): { readonly timestamp: number; readonly echo: number; readonly answered: number } {
    const at = (place: keyof typeof COUNT): number => Atomics.load(this.#counts, COUNT[place]);
    return { timestamp: at("timestamp"), echo: at("echo"), answered: at("answered") };
  }

  /** Changes how an address behaves, all of them when it is "*": what is not named stays. */
  set(address: string, behaviour: Behaviour): void {
    const names = address === "*" ? Object.keys(this.#behaviours) : [inFrame(address)];
    for (const name of names) this.#behaviours[name] = { ...this.#behaviours[name], ...behaviour };
    this.#worker.postMessage(this.#behaviours);
    this.#interrupt();
  }

  #interrupt(): void {
    writeSync(this.#wake.number, BigUint64Array.of(1n));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#counts, COUNT.stop, 1);
    const ended = once(this.#worker, "exit");
    this.#interrupt();
    await ended;
    this.#owned.dispose();
  }
}

/** The thread: waits for packets and for the time of the next answer, whichever is first. */
class Answerer {
  readonly #data: ReflectorData;
  #behaviours: Readonly<Record<string, Behaviour>>;
  readonly #frame = Buffer.alloc(2048);
  /** Answers under way, the earliest last. */
  readonly #queue: { readonly due: number; readonly frame: Buffer }[] = [];
  /** When the last packet of an address arrives here, and there: packets do not overtake each other. */
  readonly #busy = new Map<string, { readonly up: number; readonly down: number }>();

  constructor(data: ReflectorData) {
    this.#data = data;
    this.#behaviours = data.behaviours;
  }

  run(): void {
    const { fd, wake, counts } = this.#data;
    const fds = Buffer.alloc(16);
    for (const [index, number] of [fd, wake].entries()) {
      fds.writeInt32LE(number, 8 * index);
      fds.writeInt16LE(1, 8 * index + 4);
    }
    while (Atomics.load(counts, COUNT.stop) === 0) {
      const next = this.#queue.at(-1)?.due ?? performance.now() + 1000;
      const left = BigInt(Math.max(0, Math.round((next - performance.now()) * 1e6)));
      ppoll(fds, 2, BigInt64Array.of(left / 1_000_000_000n, left % 1_000_000_000n), null);
      if (fds.readInt16LE(14) !== 0) readSync(wake, new Uint8Array(8));
      for (let told = receiveMessageOnPort(parentPort!); told; told = receiveMessageOnPort(parentPort!))
        this.#behaviours = told.message as Readonly<Record<string, Behaviour>>;
      for (let length = 0; (length = recv(fd, this.#frame, this.#frame.length, 0)) > 0;)
        this.#take(this.#frame.subarray(0, length));
      while ((this.#queue.at(-1)?.due ?? Infinity) <= performance.now()) {
        const { frame } = this.#queue.pop()!;
        if (sendto(fd, frame, frame.length, 0, null, 0) > 0) Atomics.add(counts, COUNT.answered, 1);
      }
    }
  }

  #take(frame: Buffer): void {
    const seen = readRequest(frame);
    const behaviour = seen && this.#behaviours[seen.to];
    if (!seen || !behaviour) return;
    const now = performance.now();
    Atomics.add(this.#data.counts, COUNT[seen.kind], 1);
    if (behaviour.silent === true || behaviour.silent === seen.kind || Math.random() < (behaviour.loss ?? 0)) return;
    const one = (delay = 0): number => delay + Math.random() * (behaviour.jitter ?? 0);
    const busy = this.#busy.get(seen.to);
    const up = Math.max(now + one(behaviour.up), busy?.up ?? 0);
    const down = Math.max(up + (behaviour.hold ?? 0) + one(behaviour.down), busy?.down ?? 0);
    this.#busy.set(seen.to, { up, down });
    const made = answer(frame, seen, behaviour, performance.timeOrigin + up, Math.random);
    for (let copy = 0; copy < (behaviour.copies ?? 1); copy += 1) this.#queue.push({ due: down, frame: made });
    this.#queue.sort((a, b) => b.due - a.due);
  }
}

if (!isMainThread) {
  parentPort!.postMessage("running");
  new Answerer(workerData as ReflectorData).run();
}
