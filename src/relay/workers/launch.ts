/** Starts a worker's process. */
import { Channel } from "../../linux/channel.ts";
import { startConfined } from "../../linux/confined-process.ts";
import type { SharedMemory } from "../../linux/shared-memory.ts";
import type { WorkerWords } from "../worker/message-codec.ts";

/** The user `nobody`, and its group, as the kernel knows it. */
const NOBODY = 65_534;

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
  return { channel, pid: started.pid, ended: started.ended, kill: (signal) => started.kill(signal) };
}
