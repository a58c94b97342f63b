/** Finds and reads what is driven on one interface: a few system calls while it is where it was, a search when it is not. */
import type { Clock } from "../../core/clock.ts";
import { type Handle, TC_ROOT } from "../../core/tc/handle.ts";
import { dumpClasses, dumpQdiscs } from "../../linux/netlink/dump.ts";
import { getClass, getQdisc, getQdiscAt, interfaceIndex } from "../../linux/netlink/get.ts";
import type { RtnlSocket } from "../../linux/netlink/socket.ts";
import type { QdiscRecord } from "../../linux/netlink/tc/qdisc.ts";
import type { Counters } from "../../linux/netlink/tc/stats.ts";
import type { TargetSpec } from "../config.ts";
import { chooseClass, chooseQdisc } from "./choose.ts";
import type { Shape } from "./shape.ts";

/** What is driven on an interface of this machine. */
export type DeviceSpec = Exclude<TargetSpec, { kind: "site" }>;

/** It, as it is now. */
export interface Sight {
  readonly ifindex: number;
  readonly shape: Shape;
  readonly stats: Pick<Counters, "bytes" | "backlog">;
}

/** Why it is not there. */
export interface Absence {
  /** Half a sentence. */
  readonly reason: string;
  /** The interface itself is not there. */
  readonly interface?: true;
}

/** Whether something was seen. */
export const isSight = (found: Sight | Absence): found is Sight => "shape" in found;

/** A search lists every qdisc of the machine, up to a second with 50,000 of them: it may take a twentieth of the time. */
const SEARCH_SHARE = 20;

/** Remembers where it was. */
export class Finder {
  readonly #spec: DeviceSpec;
  readonly #clock: Clock;
  #last: Sight | undefined;
  #failed: { readonly root: string; readonly absence: Absence; readonly until: number } | undefined;

  constructor(spec: DeviceSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
  }

  /** Where it was last; undefined before it was ever seen, and while it is gone. */
  get last(): Sight | undefined {
    return this.#last;
  }

  /** Looks for it. @throws RtnlError, SystemError */
  look(socket: RtnlSocket): Sight | Absence {
    const { device } = this.#spec;
    const ifindex = interfaceIndex(socket, device);
    const found =
      ifindex === undefined
        ? { reason: `there is no interface "${device}"`, interface: true as const }
        : (this.#again(socket, ifindex) ?? this.#anew(socket, ifindex));
    this.#last = isSight(found) ? found : undefined;
    return found;
  }

  /** Where it was, if it is still there. */
  #again(socket: RtnlSocket, ifindex: number): Sight | undefined {
    const known = this.#last;
    if (known?.ifindex !== ifindex) return undefined;
    if (known.shape.kind === "class") return readClass(socket, ifindex, known.shape.at.classid);
    const { at } = known.shape;
    const record = getQdisc(socket, ifindex, at.handle);
    if (record?.at.qdisc.kind !== at.qdisc.kind) return undefined;
    // The answer does not tell where it hangs; that cannot change while it lives.
    return sightOf({ ...record, at: { ...record.at, parent: at.parent } });
  }

  #anew(socket: RtnlSocket, ifindex: number): Sight | Absence {
    const spec = this.#spec;
    if (spec.kind === "htb") {
      const absence = { reason: "it has no such class" };
      return readClass(socket, ifindex, spec.classid) ?? absence;
    }
    const root = getQdiscAt(socket, ifindex, TC_ROOT);
    // As long as the interface and its root are the same, a search that was in vain is not repeated at once.
    const key = `${ifindex} ${root?.at.handle} ${root?.at.qdisc.kind}`;
    const begin = this.#clock.monotonic();
    if (this.#failed?.root === key && begin < this.#failed.until) return this.#failed.absence;
    const found = search(socket, ifindex, spec.kind, root);
    const end = this.#clock.monotonic();
    const until = end + (SEARCH_SHARE - 1) * (end - begin);
    this.#failed = isSight(found) ? undefined : { root: key, absence: found, until };
    return found;
  }
}

function readClass(socket: RtnlSocket, ifindex: number, classid: Handle): Sight | undefined {
  const record = getClass(socket, ifindex, classid);
  return record && { ifindex, shape: { kind: "class", at: record.at }, stats: record.stats };
}

function sightOf({ ifindex, at, stats }: QdiscRecord): Sight | undefined {
  const { qdisc } = at;
  if (qdisc.kind !== "cake" && qdisc.kind !== "tbf") return undefined;
  return { ifindex, shape: { kind: "qdisc", at: { ...at, qdisc } }, stats };
}

function search(
  socket: RtnlSocket,
  ifindex: number,
  kind: "auto" | "cake" | "tbf",
  root: QdiscRecord | undefined,
): Sight | Absence {
  // Below a CAKE nothing else can hang, so there is nothing to list.
  const records = root?.at.qdisc.kind === "cake" ? [root] : dumpQdiscs(socket, ifindex);
  const choice = chooseQdisc(
    kind,
    records.map(({ at }) => at),
  );
  if (choice.kind === "none") return choice;
  if (choice.kind === "qdisc") return sightOf(records.find(({ at }) => at === choice.at)!)!;
  const classes = dumpClasses(socket, ifindex, choice.at.handle);
  const at = chooseClass(
    choice.at,
    classes.map((record) => record.at),
  );
  if (typeof at === "string") return { reason: at };
  const { stats } = classes.find((record) => record.at === at)!;
  return { ifindex, shape: { kind: "class", at }, stats };
}
