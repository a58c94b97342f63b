/** A worker on the relay's input `r0` in a {@link RelayLab}: a process of its own, as the daemon would run it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { addressBytes } from "../../src/core/prefix.ts";
import { type RingOptions, admitFrames, prepareRing, ringLayout, startRing } from "../../src/linux/packet/ring.ts";
import {
  COUNTERS,
  type Counter,
  type PlaneOutput,
  type PlaneRule,
  REASONS,
  type Reason,
} from "../../src/relay/model.ts";
import { outputSocket } from "../../src/relay/output-socket.ts";
import { groupMac } from "../../src/relay/resolve.ts";
import { RING_COUNTERS } from "../../src/relay/worker/cells.ts";
import { RelayWorker, type RelayWorkerOptions } from "../../src/relay/workers/handle.ts";
import { eventually } from "./eventually.ts";
import { relayFrame } from "./relay-frame.ts";
import { macBytes, RelayLab } from "./relay-lab.ts";

/** Longest wait for a process to come up on a busy machine, ms. */
const PATIENCE = 20_000;
const PORT = 5000;

/** The lab with its worker, which is started. */
export class WorkerLab implements AsyncDisposable {
  readonly net: RelayLab;
  readonly worker: RelayWorker;
  /** How often a ring died. */
  dead = 0;

  private constructor(options: Partial<RelayWorkerOptions>, outputs: number) {
    this.net = new RelayLab({ outputs });
    this.worker = new RelayWorker({
      name: "r0",
      slots: 512,
      rings: () => {
        const ring: RingOptions = {
          ifindex: this.net.link("r0").ifindex,
          family: 4,
          mode: "throughput",
          bytes: 32 * 2 ** 20,
        };
        return [
          {
            key: "4",
            layout: ringLayout(ring),
            open: () => this.net.relay.run(() => prepareRing(ring)),
            start: (fd) => startRing(fd, ring),
            admit: (fd) => admitFrames(fd, ring),
          },
        ];
      },
      provide: (rule) =>
        rule.outputs.map((output) => {
          const { open, ...socket } = outputSocket(output);
          return { ...socket, open: () => this.net.relay.run(open) };
        }),
      dead: () => (this.dead += 1),
      ...options,
    });
  }

  /** Makes one, and waits until the worker runs. */
  static async start(options: Partial<RelayWorkerOptions> = {}, outputs = 1): Promise<WorkerLab> {
    await using owned = new AsyncDisposableStack();
    const lab = owned.use(new WorkerLab(options, outputs));
    lab.worker.start();
    await lab.runs();
    owned.move();
    return lab;
  }

  /** Waits until a worker runs that is not the one with this number. @returns its number */
  runs(other?: number): Promise<number> {
    return eventually(() => {
      const { state, pid, reason } = this.worker.status;
      assert.equal(state, "running", reason);
      assert.ok(pid !== undefined && pid !== other);
      return pid;
    }, PATIENCE);
  }

  /** A rule from 239.1.0.`n` to 239.2.0.`n` by outputs `o1`, `o2` ... Its slots are `10 * n`, and those after it. */
  rule(n: number, devices: readonly string[] = ["o1"], more: Partial<PlaneOutput> = {}): PlaneRule {
    return {
      id: `rule-${n}`,
      slot: 10 * n,
      ifindex: this.net.link("r0").ifindex,
      group: addressBytes(`239.1.0.${n}`),
      port: PORT,
      vlan: 0,
      class: "normal",
      cap: {},
      outputs: devices.map((device, index) => ({
        slot: 10 * n + 1 + index,
        ifindex: this.net.link(device).ifindex,
        device,
        group: addressBytes(`239.2.0.${n}`),
        port: 6000,
        ttl: 1,
        source: addressBytes(`10.0.${device.slice(1)}.1`),
        mac: groupMac(addressBytes(`239.2.0.${n}`)),
        ownMac: macBytes(this.net.link(device).address),
        mtu: 1500,
        ...more,
      })),
    };
  }

  /** Sets rules, and waits until the worker has them. */
  async set(...rules: readonly PlaneRule[]): Promise<void> {
    for (const rule of rules) this.worker.setRule(rule);
    assert.equal(await this.worker.sync(), true);
  }

  /** A frame for rule `n`. */
  frame(n: number, payload = Buffer.alloc(100)): Buffer {
    return relayFrame({ from: "172.16.0.2", to: `239.1.0.${n}`, port: PORT, payload });
  }

  /** Sends some of them. */
  send(n: number, count: number): void {
    const frame = this.frame(n);
    for (let i = 0; i < count; i += 1) this.net.sender.send(frame);
  }

  /** One of a slot's counters, as they are now. */
  count(slot: number, counter: Counter): number {
    return this.worker.counters[slot * COUNTERS.length + COUNTERS.indexOf(counter)]!;
  }

  /** One of the interface's reasons. */
  passed(reason: Reason): number {
    return this.worker.counters[this.worker.cells.reasons + REASONS.indexOf(reason)]!;
  }

  /** What the kernel says of the ring. */
  ring(counter: (typeof RING_COUNTERS)[number]): number {
    return this.worker.counters[this.worker.cells.ring + RING_COUNTERS.indexOf(counter)]!;
  }

  /** What /proc says of a process; undefined when it is gone, and no zombie either. */
  static status(pid: number): string | undefined {
    try {
      return readFileSync(`/proc/${pid}/status`, "utf8");
    } catch {
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    this.net[Symbol.dispose]();
  }
}
