/** The rings that a worker was given. Those that it may go on with are not touched when others come and go. */
import { SystemError } from "../../linux/errno.ts";
import type { Fd } from "../../linux/fd.ts";
import { RingCounts, type RingStatistics } from "../../linux/packet/ring-statistics.ts";
import { attachFilter, NOTHING } from "../../linux/packet/socket-filter.ts";

/** A ring for a worker. */
export interface RingProvision {
  /** The same for a ring that differs in no more than which frames come by it. */
  readonly key: string;
  readonly layout: unknown;
  /** Opens it; nothing comes by it yet. */
  readonly open: () => Fd;
  /** Lets frames come by it. */
  readonly start: (fd: Fd) => void;
  /** Sets which frames come by one that was started before. */
  readonly admit: (fd: Fd) => void;
}

/** A ring that a worker was given. */
export interface GivenRing {
  /** No other one of this worker ever has it. */
  readonly number: number;
  readonly layout: unknown;
  /** Stays its owner's. */
  readonly fd: Fd;
}

/** What a worker is to be told. */
export interface RingChange {
  /** Those that it has not got yet. */
  readonly fresh: readonly GivenRing[];
  /** All that are in use from now on. */
  readonly numbers: readonly number[];
}

/** Nothing comes by a ring any more; what it has stays in it. */
function silence(fd: Fd): void {
  try {
    attachFilter(fd.number, NOTHING);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // Its interface is gone: nothing comes by it anyway.
  }
}

/** The rings of one worker. The worker has descriptors of its own; these are to set what comes by them. */
export class WorkerRings implements Disposable {
  #given: ReadonlyMap<string, GivenRing> = new Map();
  #next = 0;

  /**
   * Goes over to these: opens those that are not there yet, and ends those that are not among them.
   *
   * @param anew whether none that is there can be gone on with: they are dead
   * @throws whatever opening and starting them throws: those that are there stay
   */
  use(wanted: readonly RingProvision[], anew: boolean): RingChange {
    using opened = new DisposableStack();
    const before = this.#given;
    const given = new Map<string, GivenRing>();
    const fresh: GivenRing[] = [];
    const begin: (() => void)[] = [];
    for (const { key, layout, open, start, admit } of wanted) {
      const known = anew ? undefined : before.get(key);
      const ring = known ?? { number: this.#next + fresh.length, layout, fd: opened.use(open()) };
      if (!known) fresh.push(ring);
      begin.push(() => (known ? admit : start)(ring.fd));
      given.set(key, ring);
    }
    // Not before all are open, which takes long: what falls to one that shares frames and has not started is lost.
    for (const each of begin) each();
    opened.move();
    this.#given = given;
    this.#next += fresh.length;
    for (const [key, ring] of before) {
      if (given.get(key) === ring) continue;
      // The worker reads what it still has.
      silence(ring.fd);
      ring.fd[Symbol.dispose]();
    }
    return { fresh, numbers: [...given.values()].map(({ number }) => number) };
  }

  /** Whether it has the ring of a number. */
  has(number: number): boolean {
    return [...this.#given.values()].some((ring) => ring.number === number);
  }

  /** Nothing comes by any of them from now on. */
  silence(): void {
    for (const { fd } of this.#given.values()) silence(fd);
  }

  /** What the kernel has counted that nobody has read yet. */
  statistics(): readonly RingStatistics[] {
    const counts = new RingCounts();
    return [...this.#given.values()].flatMap(({ fd }): readonly RingStatistics[] => {
      try {
        return [counts.read(fd.number)];
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        return [];
      }
    });
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#given.values()) fd[Symbol.dispose]();
    this.#given = new Map();
  }
}
