import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProbeConfig } from "../config.ts";
import type { IcmpReply } from "../../linux/icmp/codec.ts";
import type { Reflector } from "../reflectors/reflector.ts";
import type { Known } from "./known.ts";
import { Roster, type RosterChange } from "./roster.ts";

const CONFIG: ProbeConfig = {
  modes: ["timestamp", "timestamp-rtt", "echo"],
  interval: 0.3,
  reflectors: 4,
  reselect: 900,
};
const NONE = { download: 0, upload: 0 };

const list = (count: number, family: 4 | 6 = 4): Reflector[] =>
  Array.from({ length: count }, (_, i) => ({
    address: family === 4 ? `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` : `2001:db8::${(i + 1).toString(16)}`,
    family,
    description: "",
  }));

function numbers(): () => number {
  let seed = 11;
  return () => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

/** An answer of this reflector after so many milliseconds. */
function answer(known: Known, now: number, rtt: number, kind: "timestamp" | "echo"): void {
  const { address } = known.reflector;
  const sent = { monotonic: now * 1000 - rtt, wall: now * 1000 - rtt };
  const token = Math.floor(sent.wall);
  const receive = Math.floor(sent.wall + rtt / 2);
  const reply: IcmpReply =
    kind === "echo" ? { kind, sequence: 1, token } : { kind, sequence: 1, token, receive, transmit: receive };
  known.hear({ address, kind, sequence: 1, token, sent }, { monotonic: now * 1000, wall: now * 1000 }, reply, NONE);
}

/** Lets time pass; those who answer do so ten times a second, with their round trips. */
function pass(
  roster: Roster,
  from: number,
  seconds: number,
  answers: (reflector: Reflector) => { readonly rtt: number; readonly kind?: "timestamp" | "echo" } | undefined,
): RosterChange[] {
  const changes: RosterChange[] = [];
  for (let now = from; now < from + seconds; now += 0.1) {
    for (const known of [...roster.peers, ...roster.candidates]) {
      known.passTime(now);
      const given = answers(known.reflector);
      if (!given) continue;
      answer(known, now, given.rtt, given.kind ?? "timestamp");
      roster.heard(known.reflector.address, given.rtt);
    }
    changes.push(...roster.passTime(now));
  }
  return changes;
}

const addresses = (roster: Roster): string[] => roster.peers.map(({ reflector }) => reflector.address);

describe("a roster", () => {
  it("begins with those that may give one-way delays, and asks others at once", () => {
    const roster = new Roster([...list(30, 6), ...list(10)], CONFIG, 100, numbers());
    assert.ok(roster.peers.every(({ reflector }) => reflector.family === 4));
    assert.equal(roster.candidates.length, 0);
    roster.passTime(100);
    assert.equal(roster.candidates.length, 20);
    assert.equal(roster.known.length, 24);
  });

  it("takes near ones, but gives one-way delays their worth", () => {
    const roster = new Roster(list(24), CONFIG, 100, numbers());
    // Every other one answers echoes only, 15 ms nearer: that is not enough.
    const stamped = ({ address }: Reflector): boolean => Number(address.split(".")[3]) % 2 === 0;
    pass(roster, 100, 4, (reflector) => (stamped(reflector) ? { rtt: 40 } : { rtt: 25, kind: "echo" }));
    assert.ok(
      roster.peers.every(({ reflector }) => stamped(reflector)),
      addresses(roster).join(" "),
    );
    const echoes = new Roster(list(24), { ...CONFIG, modes: ["echo"] }, 100, numbers());
    pass(echoes, 100, 4, (reflector) => ({ rtt: stamped(reflector) ? 40 : 25, kind: "echo" }));
    assert.ok(!echoes.peers.some(({ reflector }) => stamped(reflector)), addresses(echoes).join(" "));
  });

  it("replaces one that does not answer, and keeps what is known of it", () => {
    const roster = new Roster(list(6), CONFIG, 100, numbers());
    pass(roster, 100, 3, () => ({ rtt: 20 }));
    const [dead] = addresses(roster);
    const changes = pass(roster, 103, 8, ({ address }) => (address === dead ? undefined : { rtt: 20 }));
    const replaced = changes.filter(({ kind }) => kind === "replaced");
    assert.equal(replaced.length, 1);
    assert.ok(!addresses(roster).includes(dead!) && roster.find(dead!)?.baseline);
    assert.equal(new Set(addresses(roster)).size, 4);
  });

  it("goes over to the other family at once when there is no way to one", () => {
    const roster = new Roster([...list(10), ...list(10, 6)], CONFIG, 100, numbers());
    roster.noWayTo(4, 100.1);
    assert.ok(roster.peers.every(({ reflector }) => reflector.family === 6));
    roster.passTime(100.2);
    assert.ok(roster.candidates.every(({ reflector }) => reflector.family === 6));
    // None to the other one either: the line is down, and changing about would be vain.
    const before = addresses(roster);
    roster.noWayTo(6, 100.3);
    assert.deepEqual(addresses(roster), before);
  });

  it("stays with a family to which there was a way until now", () => {
    const roster = new Roster([...list(10), ...list(10, 6)], CONFIG, 100, numbers());
    roster.wayTo(4);
    const before = addresses(roster);
    roster.noWayTo(4, 101);
    assert.deepEqual(addresses(roster), before);
    roster.wayTo(6);
    roster.noWayTo(4, 200);
    assert.ok(
      roster.peers.every(({ reflector }) => reflector.family === 6),
      "there is a way by the other",
    );
  });

  it("counts a pause of ours against nobody", () => {
    const roster = new Roster(list(6), CONFIG, 100, numbers());
    pass(roster, 100, 3, () => ({ rtt: 20 }));
    roster.wish();
    roster.wake(4000);
    const changes = pass(roster, 4000, 4, () => ({ rtt: 20 }));
    assert.deepEqual(changes, []);
    for (const address of addresses(roster)) assert.equal(roster.offencesOf(address), 0);
  });

  it("does not remember more than is good, however long the list", () => {
    const roster = new Roster(list(5000), { ...CONFIG, reselect: 30 }, 0, numbers());
    for (let now = 0; now < 1500; now += 1) {
      roster.wish();
      for (const { reflector } of [...roster.peers, ...roster.candidates]) roster.heard(reflector.address, 20);
      roster.passTime(now);
    }
    assert.ok(roster.searches > 20 && roster.known.length <= 256 + 4, `${roster.searches}, ${roster.known.length}`);
    assert.equal(roster.peers.length, 4);
  });
});
