/** The groups that are joined: brought to what rules need, each tried again for as long as it is wanted. */
import { addressBytes } from "../core/prefix.ts";
import { messageOf } from "../core/errors.ts";
import type { GroupAt, MembershipPool } from "../linux/multicast/membership.ts";
import { type Membership, membershipKey } from "./desired.ts";

const groupAt = ({ ifindex, group, source }: Membership): GroupAt => ({
  ifindex,
  group: addressBytes(group),
  ...(source !== undefined && { source: addressBytes(source) }),
});

/** Memberships of the relay. */
export class Joins {
  readonly #pool: MembershipPool;
  readonly #joined = new Map<string, Membership>();
  readonly #failed = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();

  /** @param pool stays the caller's */
  constructor(pool: MembershipPool) {
    this.#pool = pool;
  }

  /** Whether a group is joined, and why not: undefined while it is being joined, or when nobody wants it. */
  stateOf(membership: Membership): true | string | undefined {
    const key = membershipKey(membership);
    return this.#joined.has(key) ? true : this.#failed.get(key);
  }

  /**
   * Joins what is wanted and leaves everything else; what is kept is not left for a moment. Never fails: what could not be
   * joined is tried again the next time. One call after the other.
   */
  sync(wanted: readonly Membership[]): Promise<void> {
    this.#work = this.#work.then(() => this.#sync(new Map(wanted.map((each) => [membershipKey(each), each]))));
    return this.#work;
  }

  /** Waits for all that was to be done so far. */
  idle(): Promise<void> {
    return this.#work;
  }

  async #sync(wanted: ReadonlyMap<string, Membership>): Promise<void> {
    const missing = [...wanted].filter(([key]) => !this.#joined.has(key));
    const errors = await this.#pool.joinAll(missing.map(([, membership]) => groupAt(membership)));
    this.#failed.clear();
    for (const [index, [key, membership]] of missing.entries()) {
      const error = errors[index];
      if (error) this.#failed.set(key, messageOf(error));
      else this.#joined.set(key, membership);
    }
    for (const [key, membership] of this.#joined) {
      if (wanted.has(key)) continue;
      this.#joined.delete(key);
      await this.#pool.leave(groupAt(membership)).catch(() => undefined);
    }
  }
}
