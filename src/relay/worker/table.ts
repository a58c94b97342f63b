/** The rules of a worker, with the sockets that their copies leave by. */
import type { Fd } from "../../linux/fd.ts";
import type { PlaneRule } from "../model.ts";
import { RuleDigest } from "./digest.ts";
import type { Order, SocketKind } from "./message-codec.ts";
import { decodeRule, type WireRule } from "./rule-codec.ts";

/** A socket for the copies of one output. */
export interface OutputSocket {
  readonly fd: number;
  readonly kind: SocketKind;
}

/** What carries the rules out. */
export interface RuleTarget {
  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void;
  removeRule(id: string): void;
}

interface Row {
  readonly rule: PlaneRule;
  readonly fds: readonly Fd[];
  readonly kinds: readonly SocketKind[];
}

/** A rule of which not all outputs have come yet. */
interface Part {
  readonly rule: WireRule;
  readonly fds: readonly Fd[];
  readonly kinds: readonly SocketKind[];
}

const close = (fds: readonly Fd[]): void => {
  for (const fd of fds) fd[Symbol.dispose]();
};

const socketsOf = ({ fds, kinds }: Row): OutputSocket[] =>
  fds.map((fd, index) => ({ fd: fd.number, kind: kinds[index]! }));

/** All of them. A socket is closed once its rule has another one, or is gone. */
export class WorkerTable implements Disposable {
  readonly #digest = new RuleDigest();
  readonly #rows = new Map<string, Row>();
  #target: RuleTarget;
  #part: Part | undefined;
  #stale = new Set<string>();

  constructor(target: RuleTarget) {
    this.#target = target;
  }

  /** What it has. */
  get rules(): readonly PlaneRule[] {
    return [...this.#rows.values()].map(({ rule }) => rule);
  }

  /** What the supervisor compares with its own. */
  get state(): { readonly hash: string; readonly count: number } {
    return { hash: this.#digest.hash, count: this.#digest.count };
  }

  /** Everything that is not set from now on is dropped at the next {@link settle}. */
  begin(): void {
    this.#stale = new Set(this.#rows.keys());
  }

  /** Drops what has not been set since {@link begin}. */
  settle(): void {
    for (const id of this.#stale) this.drop(id);
    this.#stale.clear();
  }

  /**
   * Takes a rule, or a part of it.
   *
   * @param fds from now on this object's
   * @throws RangeError unless there is a socket for each output
   */
  take({ rule, sockets, more }: Order & { readonly kind: "rule" }, fds: readonly Fd[]): void {
    const before = this.#part?.rule.id === rule.id ? this.#part : undefined;
    if (this.#part && !before) close(this.#part.fds);
    const part: Part = {
      rule: before ? { ...rule, outputs: [...before.rule.outputs, ...rule.outputs] } : rule,
      fds: [...(before?.fds ?? []), ...fds],
      kinds: [...(before?.kinds ?? []), ...sockets],
    };
    this.#part = more ? part : undefined;
    if (more) return;
    const { outputs } = part.rule;
    if (part.fds.length !== outputs.length || part.kinds.length !== outputs.length) {
      close(part.fds);
      throw new RangeError(`rule ${rule.id} has ${outputs.length} outputs and ${part.fds.length} sockets`);
    }
    this.#set(part);
  }

  #set({ rule: wire, fds, kinds }: Part): void {
    const rule = decodeRule(wire);
    const row: Row = { rule, fds, kinds };
    const before = this.#rows.get(rule.id);
    this.#target.setRule(rule, socketsOf(row));
    this.#rows.set(rule.id, row);
    this.#digest.set(wire);
    this.#stale.delete(rule.id);
    if (before) close(before.fds);
  }

  /** Drops a rule, if it is there. */
  drop(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.#target.removeRule(id);
    this.#rows.delete(id);
    this.#digest.drop(id);
    close(row.fds);
  }

  /** Hands all rules to another target, which carries them out from now on. */
  move(target: RuleTarget): void {
    for (const row of this.#rows.values()) target.setRule(row.rule, socketsOf(row));
    this.#target = target;
  }

  [Symbol.dispose](): void {
    for (const { fds } of this.#rows.values()) close(fds);
    if (this.#part) close(this.#part.fds);
    this.#part = undefined;
    this.#rows.clear();
    this.#digest.clear();
  }
}
