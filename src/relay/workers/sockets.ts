/** The sockets that a worker was given, and which of its rules use them: outputs that leave the same way share one. */
import type { Fd } from "../../linux/fd.ts";
import { NO_SOCKET, type SocketKind } from "../worker/message-codec.ts";

/** A socket that an output can be sent by. */
export interface SocketProvision {
  /** The same for all outputs that may share it. */
  readonly key: string;
  readonly kind: SocketKind;
  /** Undefined when that fails. */
  readonly open: () => Fd | undefined;
}

/** How a worker learns of its sockets. */
export interface SocketReceiver {
  /** @param fd from now on the receiver's */
  give(number: number, kind: SocketKind, fd: Fd): void;
  /** No rule uses it any more. */
  take(number: number): void;
}

interface Given {
  readonly key: string;
  readonly number: number;
  /** How many outputs it has. */
  users: number;
}

/** The sockets of one worker. */
export class WorkerSockets {
  readonly #receiver: SocketReceiver;
  readonly #byKey = new Map<string, Given>();
  /** By the ids of rules. */
  readonly #used = new Map<string, readonly Given[]>();
  #number = 0;

  constructor(receiver: SocketReceiver) {
    this.#receiver = receiver;
  }

  /**
   * Puts sockets in the place of those that a rule had, and gives the worker what it has not yet got of them.
   *
   * @param say tells the worker the rule, with the sockets' numbers; what it had before is taken from it only after that
   * @returns whether there is a socket for each
   */
  use(id: string, wanted: readonly SocketProvision[], say: (numbers: readonly number[]) => void): boolean {
    const given = wanted.map((provision) => this.#given(provision));
    for (const each of given) if (each) each.users += 1;
    say(given.map((each) => each?.number ?? NO_SOCKET));
    this.#replace(
      id,
      given.filter((each) => each !== undefined),
    );
    return !given.includes(undefined);
  }

  /** A rule is gone. */
  drop(id: string): void {
    this.#replace(id, []);
  }

  /** The worker has none of them any more; numbers go on. */
  forget(): void {
    this.#byKey.clear();
    this.#used.clear();
  }

  #given({ key, kind, open }: SocketProvision): Given | undefined {
    const known = this.#byKey.get(key);
    if (known) return known;
    const fd = open();
    if (!fd) return undefined;
    const given: Given = { key, number: this.#number, users: 0 };
    this.#number += 1;
    this.#byKey.set(key, given);
    this.#receiver.give(given.number, kind, fd);
    return given;
  }

  #replace(id: string, given: readonly Given[]): void {
    const before = this.#used.get(id) ?? [];
    if (given.length > 0) this.#used.set(id, given);
    else this.#used.delete(id);
    for (const each of before) {
      each.users -= 1;
      if (each.users > 0) continue;
      this.#byKey.delete(each.key);
      this.#receiver.take(each.number);
    }
  }
}
