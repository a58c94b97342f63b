/**
 * Membership in multicast groups by interface, for somebody who takes the packets elsewhere: the kernel reports the groups
 * (IGMP, MLD), and hardware and switches let them through.
 *
 * The sockets that hold the memberships are bound to no port, so that no datagram ever reaches them. The kernel allows a
 * socket 20 groups; there are as many sockets as it takes. Joining waits for the kernel's lock of all links, which others
 * may hold for seconds, and is therefore done in a thread of the pool, one at a time.
 */
import { check, ERRNO, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import type { FdStore } from "../fd-store.ts";
import { setsockopt, setsockoptAsync, socket } from "../ffi.ts";
import { AF } from "../icmp/sockaddr.ts";
import type { Netns } from "../netns.ts";

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const MCAST_JOIN_GROUP = 42;
const MCAST_LEAVE_GROUP = 45;
const MCAST_JOIN_SOURCE_GROUP = 46;
const MCAST_LEAVE_SOURCE_GROUP = 47;
/** struct sockaddr_storage. */
const SOCKADDR_STORAGE = 128;

/** A group on an interface, of all sources or of one. */
export interface GroupAt {
  readonly ifindex: number;
  /** 4 or 16 bytes, network order. */
  readonly group: Uint8Array;
  readonly source?: Uint8Array;
}

const hex = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString("hex") : "any");
const keyOf = ({ ifindex, group, source }: GroupAt): string => `${ifindex} ${hex(group)} ${hex(source)}`;

/** struct group_req or group_source_req: u32 ifindex, 4 bytes of nothing, one or two struct sockaddr_storage. */
function request(ifindex: number, ...addresses: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.alloc(8 + SOCKADDR_STORAGE * addresses.length);
  bytes.writeUInt32LE(ifindex, 0);
  for (const [index, address] of addresses.entries()) {
    const at = 8 + index * SOCKADDR_STORAGE;
    bytes.writeUInt16LE(AF[address.length === 4 ? 4 : 6], at);
    bytes.set(address, at + (address.length === 4 ? 4 : 8));
  }
  return bytes;
}

/** A socket with some memberships. */
class Holder implements Disposable {
  readonly #fd: Fd;
  readonly #level: number;
  readonly #store: FdStore | undefined;
  readonly #name: string | undefined;
  /** How many it has. */
  count = 0;
  /** Whether the kernel refused it another one, and it has lost none since. */
  full = false;

  constructor(family: 4 | 6, netns: Netns | undefined, store: FdStore | undefined) {
    const make = (): number => check("socket", socket(AF[family], SOCK_DGRAM | SOCK_CLOEXEC, 0));
    this.#fd = new Fd(netns ? netns.run(make) : make());
    this.#level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6;
    // The least that the kernel gives; nothing comes anyway.
    setsockopt(this.#fd.number, SOL_SOCKET, SO_RCVBUF, Int32Array.of(0), 4);
    this.#store = store;
    this.#name = store?.put(this.#fd);
  }

  /** Joins; 0, or the negative error number. */
  async join({ ifindex, group, source }: GroupAt): Promise<number> {
    const result = source
      ? await this.#set(MCAST_JOIN_SOURCE_GROUP, request(ifindex, group, source))
      : await this.#set(MCAST_JOIN_GROUP, request(ifindex, group));
    if (result >= 0) this.count += 1;
    else if (result === -ERRNO.ENOBUFS || result === -ERRNO.ENOMEM) this.full = true;
    return result;
  }

  /** Leaves. What the kernel has forgotten already, with the interface, is left, too. */
  async leave({ ifindex, group, source }: GroupAt): Promise<void> {
    this.count -= 1;
    this.full = false;
    const left = source ? await this.#set(MCAST_LEAVE_SOURCE_GROUP, request(ifindex, group, source)) : -1;
    // Without its interface a source cannot be left, but the group with all its sources can.
    if (!source || left === -ERRNO.ENODEV) await this.#set(MCAST_LEAVE_GROUP, request(ifindex, group));
  }

  #set(name: number, value: Buffer): Promise<number> {
    return setsockoptAsync(this.#fd.number, this.#level, name, value);
  }

  [Symbol.dispose](): void {
    if (this.#name !== undefined) this.#store?.remove(this.#name);
    this.#fd[Symbol.dispose]();
  }
}

interface Membership {
  readonly at: GroupAt;
  readonly holder: Holder;
  readonly among: Set<Holder>;
  users: number;
}

/** Memberships in one network namespace. */
export class MembershipPool implements AsyncDisposable {
  readonly #netns: Netns | undefined;
  readonly #store: FdStore | undefined;
  readonly #memberships = new Map<string, Membership>();
  /** By family and by whether they are of one source: a socket cannot have a group both ways. */
  readonly #holders = new Map<string, Set<Holder>>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param netns this thread's when left out; to be kept open as long as this is used
   * @param store keeps memberships from one process to the next
   */
  constructor(netns?: Netns, store?: FdStore) {
    this.#netns = netns;
    this.#store = store;
  }

  /** How many groups are joined; each source of a group counts. */
  get size(): number {
    return this.#memberships.size;
  }

  /** How many sockets hold them. */
  get sockets(): number {
    return [...this.#holders.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** One after the other, in the order in which they were asked for. */
  #next<T>(body: () => Promise<T>): Promise<T> {
    const result = this.#last.then(body);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Joins, or counts one more user of what is joined already.
   *
   * @throws SystemError ENODEV without the interface, EINVAL for what is no group ...
   */
  join(at: GroupAt): Promise<void> {
    return this.#next(() => this.#join(at));
  }

  async #join(at: GroupAt): Promise<void> {
    const key = keyOf(at);
    const known = this.#memberships.get(key);
    if (known) {
      known.users += 1;
      return;
    }
    const family = at.group.length === 4 ? 4 : 6;
    const kind = `${family} ${at.source ? "source" : "any"}`;
    const among = this.#holders.get(kind) ?? new Set<Holder>();
    this.#holders.set(kind, among);
    for (const holder of among) {
      if (holder.full) continue;
      const result = await holder.join(at);
      if (result >= 0) return void this.#memberships.set(key, { at, holder, among, users: 1 });
      if (!holder.full) throw new SystemError(`join on interface ${at.ifindex}`, -result);
    }
    const holder = new Holder(family, this.#netns, this.#store);
    const result = await holder.join(at);
    if (result < 0) {
      holder[Symbol.dispose]();
      throw new SystemError(`join on interface ${at.ifindex}`, -result);
    }
    among.add(holder);
    this.#memberships.set(key, { at, holder, among, users: 1 });
  }

  /** Joins all. @returns by their order, why one could not be joined */
  async joinAll(groups: readonly GroupAt[]): Promise<(Error | undefined)[]> {
    const outcomes = await Promise.allSettled(groups.map((at) => this.join(at)));
    return outcomes.map((outcome) => (outcome.status === "fulfilled" ? undefined : (outcome.reason as Error)));
  }

  /** One user less; the last one leaves the group. Nothing happens to what is not joined. */
  leave(at: GroupAt): Promise<void> {
    return this.#next(async () => {
      const membership = this.#memberships.get(keyOf(at));
      if (!membership) return;
      membership.users -= 1;
      if (membership.users === 0) await this.#drop(membership);
    });
  }

  /** Leaves all groups of an interface, whoever uses them: its number means another one, or nothing, from now on. */
  forget(ifindex: number): Promise<void> {
    return this.#next(async () => {
      for (const membership of this.#memberships.values())
        if (membership.at.ifindex === ifindex) await this.#drop(membership);
    });
  }

  async #drop({ at, holder, among }: Membership): Promise<void> {
    this.#memberships.delete(keyOf(at));
    await holder.leave(at);
    if (holder.count > 0) return;
    among.delete(holder);
    holder[Symbol.dispose]();
  }

  /** Leaves everything; at the end of the service by closing the sockets alone, so that what is in the store is kept. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#next(async () => {
      if (this.#store?.isEnding) {
        for (const holders of this.#holders.values()) for (const holder of holders) holder[Symbol.dispose]();
        this.#holders.clear();
        this.#memberships.clear();
      }
      for (const membership of this.#memberships.values()) await this.#drop(membership);
    });
  }
}
