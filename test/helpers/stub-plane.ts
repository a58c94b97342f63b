/** What stands in for a plane where no packet comes, in the tests of who tells it what to do. */
import type { Fd } from "../../src/linux/fd.ts";
import { poll } from "../../src/linux/ffi.ts";
import type { PlaneRule } from "../../src/relay/model.ts";
import type { OutputSocket } from "../../src/relay/user/active-rule.ts";
import type { SessionPlane, SessionRing } from "../../src/relay/worker/session.ts";

/** A ring by which nothing comes. */
export class StubRing implements SessionRing {
  readonly fd: Fd;
  readonly layout: unknown;

  constructor(fd: Fd, layout: unknown) {
    this.fd = fd;
    this.layout = layout;
  }

  statistics() {
    return { packets: 3, drops: 2, freezes: 1 };
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** Does nothing with packets; remembers what it is told. */
export class StubPlane implements SessionPlane<StubRing> {
  rings: readonly StubRing[] = [];
  readonly rules = new Map<string, PlaneRule>();
  readonly sockets = new Map<string, readonly OutputSocket[]>();
  dead = new Set<StubRing>();
  log: string[] = [];

  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void {
    this.rules.set(rule.id, rule);
    this.sockets.set(rule.id, sockets);
  }

  removeRule(id: string): void {
    this.rules.delete(id);
    this.sockets.delete(id);
  }

  turn(_timeout: number, wakeFd: number): boolean {
    return poll(new Int32Array([wakeFd, 1]), 1, 0) > 0;
  }

  useRings(rings: readonly StubRing[]): void {
    this.log.push(`rings ${rings.map(({ layout }) => String(layout)).join(" ")}`.trim());
    for (const ring of this.rings) if (!rings.includes(ring)) this.dead.delete(ring);
    this.rings = rings;
  }

  drain(): void {
    this.log.push("drain");
  }

  trace(id: string, most: number) {
    return [{ time: most, source: "10.0.0.1:1", destination: "10.0.0.2:2", length: 0, outcome: id }];
  }

  [Symbol.dispose](): void {
    this.log.push("gone");
  }
}
