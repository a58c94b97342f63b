/** Looks at the bed ten times a second: what arrived, and what the router's shapers are set to. */
import { readFileSync } from "node:fs";
import { type Direction, DIRECTIONS } from "../../src/core/both.ts";
import { handle } from "../../src/core/tc/handle.ts";
import { dumpClasses, dumpLinks } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { type Bed, BED } from "./bed.ts";
import { monotonic, until } from "./clock.ts";

const INTERVAL = 0.1;
/** The class whose rate is the shaper's, and the one of ICMP. */
const SHAPED = handle(1, 1);
const ICMP = handle(1, 0x10);

/** Values by the monotonic clock, s. */
interface Growing {
  readonly at: number[];
  readonly value: number[];
}

/** What was seen of one direction. */
export interface Seen {
  /** Arrived where it was going to, kbit/s on average since the last look. */
  readonly arrived: Growing;
  /** What the shaper is set to, kbit/s; empty without one. */
  readonly rate: Growing;
  /** ICMP packets that left through the shaper. */
  icmp: number;
}

/** Bytes that a device received, of the thread's namespace: sysfs shows that of whoever mounted it. */
function received(ns: Netns, device: string): number {
  const text = ns.run(() => readFileSync("/proc/thread-self/net/dev", "utf8"));
  const line = text.split("\n").find((row) => row.trimStart().startsWith(`${device}:`));
  return Number(
    line!
      .slice(line!.indexOf(":") + 1)
      .trim()
      .split(/\s+/)[0],
  );
}

const nothing = (): Seen => ({ arrived: { at: [], value: [] }, rate: { at: [], value: [] }, icmp: 0 });

/** What was seen, by direction. */
export type Watched = Readonly<Record<Direction, Seen>>;

/** Watches until a time. @param shaped whether the router has shapers @param from monotonic, s */
export async function watch(bed: Bed, shaped: boolean, from: number, to: number): Promise<Watched> {
  using router = RtnlSocket.open(bed.rtr);
  const ifindex = new Map(dumpLinks(router).map((link) => [link.name, link.ifindex]));
  const seen = { download: nothing(), upload: nothing() };
  const counters = {
    download: () => received(bed.cli, "lan"),
    upload: () => received(bed.net, "core"),
  };
  const last = { download: { at: 0, bytes: 0 }, upload: { at: 0, bytes: 0 } };
  for (let look = 0, next = from; next <= to; look += 1, next = from + look * INTERVAL) {
    await until(next);
    for (const direction of DIRECTIONS) {
      const { arrived, rate } = seen[direction];
      const bytes = counters[direction]();
      const now = monotonic();
      const before = last[direction];
      arrived.at.push(now);
      arrived.value.push(look === 0 ? 0 : ((bytes - before.bytes) * 8) / 1000 / (now - before.at));
      last[direction] = { at: now, bytes };
      if (!shaped) continue;
      for (const { at, stats } of dumpClasses(router, ifindex.get(BED.shapers[direction])!, handle(1))) {
        if (at.classid === SHAPED) {
          rate.at.push(now);
          rate.value.push(Math.min(at.htb.rate, at.htb.ceil) / 1000);
        } else if (at.classid === ICMP) seen[direction].icmp = stats.packets;
      }
    }
  }
  return seen;
}
