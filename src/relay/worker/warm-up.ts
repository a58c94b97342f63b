/**
 * Runs the packet path on packets of nobody, before the first one comes: what has run often is compiled, and a worker that
 * has just started keeps up with as many packets as one that has run for long.
 */
import { addressBytes } from "../../core/prefix.ts";
import { ethernet, ipv4, ipv6 } from "../../linux/packet/frame.ts";
import { RxRing } from "../../linux/packet/ring.ts";
import { RingWriter, type WrittenFrame } from "../../linux/packet/ring-writer.ts";
import type { PlaneRule } from "../model.ts";
import { cellsFor } from "./cells.ts";
import { UserPlane } from "../user/plane.ts";

/** For so long, ms. */
const TIME = 250;
const BYTES = 2 ** 20;
const SLOTS = 2;
const SOURCE = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;
const GROUP = { 4: "233.252.0.1", 6: "ff0e::db8:1" } as const;
/** Discard; the frames' own. */
const PORT = 9;

function ruleFor(family: 4 | 6): PlaneRule {
  const group = addressBytes(GROUP[family]);
  const source = addressBytes(SOURCE[family]);
  const output = { slot: 1, ifindex: 1, device: "lo", group, port: PORT, ttl: 1, mtu: 1500, source };
  return {
    id: `warm ${family}`,
    slot: 0,
    ifindex: 1,
    group,
    port: PORT,
    vlan: 0,
    class: "normal",
    cap: {},
    outputs: [output],
  };
}

/** Single packets, a run of them that is joined, and one that stands for many. */
function frames(): WrittenFrame[] {
  const one = (size: number): WrittenFrame[] => [
    { bytes: ethernet(ipv4(SOURCE[4], GROUP[4], { size })) },
    { bytes: ethernet(ipv6(SOURCE[6], GROUP[6], { size })) },
  ];
  const joined = { bytes: ethernet(ipv4(SOURCE[4], GROUP[4], { size: 14_000 })), segment: 1400 };
  return [...Array.from({ length: 40 }, () => one(1400)).flat(), ...one(64), joined, ...one(1400), joined];
}

/** Runs it. Nothing is sent: there is no socket to send by. @throws SystemError */
export function warmUp(): void {
  using owned = new DisposableStack();
  const writer = owned.use(new RingWriter(BYTES));
  const ring = owned.use(new RxRing(writer.fd, writer.layout));
  const counters = new Float64Array(cellsFor(SLOTS).length);
  const plane = owned.use(new UserPlane({ rings: [ring], counters, slots: SLOTS, clock: () => performance.now() }));
  for (const family of [4, 6] as const) plane.setRule(ruleFor(family), [{ fd: -1, kind: "udp" }]);
  const packets = frames();
  for (const end = performance.now() + TIME; performance.now() < end;) {
    while (writer.write(packets, 0) > 0);
    plane.turn(0, -1);
  }
}
