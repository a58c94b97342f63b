/** The rules of a worker, and the sockets that their copies leave by. */
import type { Fd } from "../../linux/fd.ts";
import type { PlaneRule } from "../model.ts";
import type { OutputSocket } from "../user/active-rule.ts";
import { RuleDigest } from "./digest.ts";
import { NO_SOCKET, type Order, type SocketKind } from "./message-codec.ts";
import { decodeRule, type WireRule } from "./rule-codec.ts";

/** What carries the rules out. */
export interface RuleTarget {
  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void;
  removeRule(id: string): void;
}

interface Row {
  readonly rule: PlaneRule;
  readonly sockets: readonly OutputSocket[];
}

/** A rule of which not all outputs have come yet. */
interface Part {
  readonly rule: WireRule;
  readonly sockets: readonly number[];
}

/** All of them. */
export class WorkerTable implements Disposable {
  readonly #digest = new RuleDigest();
  readonly #rows = new Map<string, Row>();
  readonly #sockets = new Map<number, { readonly fd: Fd; readonly kind: SocketKind }>();
  readonly #target: RuleTarget;
  #part: Part | undefined;
  #staleRules = new Set<string>();
  #staleSockets = new Set<number>();

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

  /** Everything that does not come from now on is dropped at the next {@link settle}. */
  begin(): void {
    this.#staleRules = new Set(this.#rows.keys());
    this.#staleSockets = new Set(this.#sockets.keys());
  }

  /** Drops what has not come since {@link begin}. */
  settle(): void {
    for (const id of this.#staleRules) this.drop(id);
    for (const number of this.#staleSockets) this.close(number);
    this.#staleRules.clear();
    this.#staleSockets.clear();
  }

  /** Takes a socket. @param fd from now on this object's */
  open(number: number, kind: SocketKind, fd: Fd): void {
    this.close(number);
    this.#sockets.set(number, { fd, kind });
  }

  /** Closes a socket, which no rule has any more; nothing happens when it is not there. */
  close(number: number): void {
    this.#sockets.get(number)?.fd[Symbol.dispose]();
    this.#sockets.delete(number);
  }

  /** Takes a rule, or a part of it. @throws RangeError unless there is a socket for each output, and it has come */
  take({ rule, sockets, more }: Order & { readonly kind: "rule" }): void {
    const before = this.#part?.rule.id === rule.id ? this.#part : undefined;
    const part: Part = {
      rule: before ? { ...rule, outputs: [...before.rule.outputs, ...rule.outputs] } : rule,
      sockets: [...(before?.sockets ?? []), ...sockets],
    };
    this.#part = more ? part : undefined;
    if (!more) this.#set(part);
  }

  #set({ rule: wire, sockets: numbers }: Part): void {
    const { id, outputs } = wire;
    if (numbers.length !== outputs.length)
      throw new RangeError(`rule ${id} has ${outputs.length} outputs and ${numbers.length} sockets`);
    const rule = decodeRule(wire);
    const sockets = numbers.map((number) => this.#socket(id, number));
    this.#target.setRule(rule, sockets);
    this.#rows.set(id, { rule, sockets });
    this.#digest.set(wire);
    this.#staleRules.delete(id);
  }

  #socket(id: string, number: number): OutputSocket {
    if (number === NO_SOCKET) return { fd: -1, kind: "udp" };
    const socket = this.#sockets.get(number);
    if (!socket) throw new RangeError(`rule ${id} has socket ${number}, which has not come`);
    return { fd: socket.fd.number, kind: socket.kind };
  }

  /** Drops a rule, if it is there. */
  drop(id: string): void {
    if (!this.#rows.delete(id)) return;
    this.#target.removeRule(id);
    this.#digest.drop(id);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#sockets.values()) fd[Symbol.dispose]();
    this.#part = undefined;
    this.#sockets.clear();
    this.#rows.clear();
    this.#digest.clear();
  }
}
