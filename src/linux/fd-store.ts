/**
 * Descriptors that the service manager keeps while the service is started anew, however it ended (sd_pid_notify_with_fds(3),
 * FileDescriptorStoreMax=). When the service is stopped for good, the manager closes them.
 */
import { Fd } from "./fd.ts";
import { fcntl } from "./ffi.ts";
import type { Notifier } from "./notify.ts";

const FIRST = 3;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** One that the process before has left. */
interface Inherited {
  readonly name: string;
  readonly fd: Fd;
}

type Environment = Record<string, string | undefined>;

/** What the manager has handed to this process, and no other: it is struck from the environment. */
function inherited(environment: Environment): Inherited[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names = "" } = environment;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (Number(pid) !== process.pid) return [];
  const words = names.split(":");
  return Array.from({ length: Number(count) || 0 }, (_, index): Inherited => {
    const fd = new Fd(FIRST + index);
    fcntl(fd.number, F_SETFD, FD_CLOEXEC);
    return { name: words[index] ?? "", fd };
  });
}

/** The store. Without a manager it does nothing. */
export class FdStore {
  readonly #notifier: Notifier;
  #inherited: readonly Inherited[];
  #number = 0;
  #ending = false;

  /** @param environment has LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES where there are some; they are taken out of it */
  constructor(notifier: Notifier, environment: Environment) {
    this.#notifier = notifier;
    this.#inherited = inherited(environment);
  }

  /** Whether the service ends, and what it has may be left to the next one. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** From now on nothing is taken out. */
  end(): void {
    this.#ending = true;
  }

  /** Puts one in; it stays the caller's, too. @returns the name to take it out by */
  put(fd: Fd): string {
    this.#number += 1;
    const name = `sluice-${process.pid}-${this.#number}`;
    // That something came for it, or went wrong with it, is no reason to let go of it.
    this.#notifier.tell({ FDSTORE: "1", FDNAME: name, FDPOLL: "0" }, [fd]);
    return name;
  }

  /** Takes one out: it is open no longer than the caller has it. */
  remove(name: string): void {
    if (!this.#ending) this.#notifier.tell({ FDSTOREREMOVE: "1", FDNAME: name });
  }

  /** Lets go of what the process before has left: this one has its own in place. */
  release(): void {
    for (const { name, fd } of this.#inherited) {
      if (name !== "") this.#notifier.tell({ FDSTOREREMOVE: "1", FDNAME: name });
      fd[Symbol.dispose]();
    }
    this.#inherited = [];
  }
}
