/** Starts a worker's process. */
import { setPriority } from "node:os";
import { Channel } from "../../linux/channel.ts";
import { startConfined } from "../../linux/confined-process.ts";
import type { SharedMemory } from "../../linux/shared-memory.ts";
import type { WorkerWords } from "../worker/message-codec.ts";

/** The user `nobody`, and its group, as the kernel knows it. */
const NOBODY = 65_534;
/** How urgent its thread is beside others of the machine: at a low rate a ring fills by time, a block every 2 ms. */
const NICE = -10;

/** Lets a worker go before what is less urgent, where that is allowed; it works all the same where it is not. */
function hurry(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, NICE);
  } catch {
    // It has ended already, or this process may not.
  }
}

/** A worker's process, and this end of its channel. */
export interface Launched {
  readonly pid: number | undefined;
  readonly channel: Channel;
  /** How it ended, as half a sentence. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** How a worker is started. */
export interface LaunchOptions {
  /** The interface, for those who look at processes. */
  readonly name: string;
  /** Of `cellsFor(slots)`. */
  readonly memory: SharedMemory;
  readonly slots: number;
  readonly cpus?: readonly number[] | undefined;
  /** Told what it writes to its standard error, by lines. */
  readonly said: (line: string) => void;
}

/** Starts one: it says `ready` when it is there. @throws SystemError */
export function launchWorker({ name, memory, slots, cpus, said }: LaunchOptions): Launched {
  using owned = new DisposableStack();
  const [channel, theirs] = Channel.pair();
  owned.use(channel);
  using _theirs = theirs;
  const started = startConfined({
    program: new URL("../worker/relay-worker.ts", import.meta.url),
    name,
    uid: NOBODY,
    gid: NOBODY,
    fds: [theirs.fd, memory.fd],
    cpus,
    options: { slots } satisfies WorkerWords,
    said,
  });
  owned.move();
  hurry(started.pid);
  return { channel, pid: started.pid, ended: started.ended, kill: (signal) => started.kill(signal) };
}
