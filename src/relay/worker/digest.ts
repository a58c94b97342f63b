/** A hash over a set of rules that costs the same however many there are: both sides keep one, to compare what they have. */
import { createHash } from "node:crypto";
import type { WireRule } from "./rule-codec.ts";

const hashOf = (rule: WireRule): bigint =>
  createHash("sha256").update(JSON.stringify(rule)).digest().readBigUInt64LE(0);

/** The hash of the rules that were set and not dropped, in whatever order that was. */
export class RuleDigest {
  readonly #hashes = new Map<string, bigint>();
  #sum = 0n;

  /** Adds a rule, in place of the one with its id. */
  set(rule: WireRule): void {
    this.drop(rule.id);
    const hash = hashOf(rule);
    this.#hashes.set(rule.id, hash);
    this.#sum ^= hash;
  }

  /** Takes one away. @returns whether it was there */
  drop(id: string): boolean {
    this.#sum ^= this.#hashes.get(id) ?? 0n;
    return this.#hashes.delete(id);
  }

  /** Takes all away. */
  clear(): void {
    this.#hashes.clear();
    this.#sum = 0n;
  }

  /** How many rules there are. */
  get count(): number {
    return this.#hashes.size;
  }

  /** 16 hex digits. */
  get hash(): string {
    return this.#sum.toString(16).padStart(16, "0");
  }
}
