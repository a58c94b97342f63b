/** The whole relay, both planes, on the router of a {@link RelayKernelLab}. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { ip } from "../../demo/lab.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Rule, RuleOutput } from "../../src/relay/model.ts";
import type { KernelPlane } from "../../src/relay/kernel/plane.ts";
import type { InputSettings } from "../../src/relay/input.ts";
import { Relay, type RuleView } from "../../src/relay/relay.ts";
import { SLOTS } from "../../src/relay/slots.ts";
import { KernelPlane as Plane } from "../../src/relay/kernel/plane.ts";
import { eventually } from "./eventually.ts";
import { relayFrame } from "./relay-frame.ts";
import { RelayKernelLab, type RelayLabOptions } from "./relay-kernel-lab.ts";

/** Longest wait for a worker on a busy machine, ms. */
const PATIENCE = 20_000;
/** Packets, of the 1000 that fit (netdev_max_backlog). */
const AHEAD = 500;

/** A rule on in0, as a test says it. */
export interface SaidRule extends Partial<Omit<Rule, "input" | "outputs">> {
  readonly group: string;
  readonly port?: number;
  readonly source?: string;
  readonly vlan?: number;
  readonly interface?: string;
  readonly outputs: readonly (Partial<RuleOutput> & { readonly interface: string })[];
}

/** The rule. */
export function said({ group, port = 5000, source, vlan, outputs, ...rest }: SaidRule): Rule {
  const { interface: device = "in0", ...more } = rest;
  return {
    id: `${group}:${port}`,
    input: {
      interface: device,
      group,
      port,
      ...(source !== undefined && { source }),
      ...(vlan !== undefined && { vlan }),
    },
    outputs: outputs.map((output) => ({ group, port, ttl: 1, source: { kind: "rewrite" }, ...output })),
    engine: "auto",
    class: "normal",
    cap: {},
    origin: "dynamic",
    ...more,
  };
}

/** The lab. */
export class WholeRelay implements AsyncDisposable {
  readonly net: RelayKernelLab;
  relay: Relay;
  readonly #settings: InputSettings;
  readonly #kernel: KernelPlane;
  /** How often the relay has asked to be looked at. */
  changes = 0;

  constructor(options: RelayLabOptions = {}, settings: Partial<InputSettings> = {}) {
    this.net = new RelayKernelLab(options);
    const { paths, socket, place, router } = this.net;
    // Whoever listens sees packets one by one, and not what the kernel hands on before it cuts it up.
    for (let i = 1; i <= (options.outputs ?? 3); i += 1)
      this.net.ethtool(router, `o${i}`, "gso", "off", "tx-udp-segmentation", "off");
    this.#kernel = new Plane({ pins: `${paths.pins}/relay`, lock: paths.lock, socket, host: place, slots: SLOTS });
    this.#settings = { profile: "throughput", workers: 1, ringBytes: 32 * 2 ** 20, pinning: {}, ...settings };
    this.relay = this.#begin();
  }

  #begin(): Relay {
    return new Relay({
      clock: systemClock,
      settings: this.#settings,
      ns: this.net.router,
      kernel: this.#kernel,
      changed: () => (this.changes += 1),
    });
  }

  /** Ends the relay, and begins another that knows nothing of it. What the kernel carries goes on. */
  async restart(): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    this.relay = this.#begin();
  }

  /** How a rule is. */
  view(id: string): RuleView {
    return this.relay.views().find(({ resolved }) => resolved.rule.id === id) ?? assert.fail(`there is no rule ${id}`);
  }

  /** Sets rules, and waits until somebody carries each that is active. */
  async set(...rules: readonly Rule[]): Promise<void> {
    await this.relay.setRules(rules);
    await this.settled();
  }

  /** Waits until somebody carries each rule that is active, and the workers have all of them. */
  async settled(): Promise<void> {
    await eventually(async () => {
      assert.equal(await this.relay.sync(), true, "the workers have their rules");
      for (const { resolved, carriedBy } of this.relay.views())
        assert.ok(resolved.state !== "active" || carriedBy, `${resolved.rule.id} is carried by nobody`);
    }, PATIENCE);
  }

  /** The counters of a rule and its outputs that are not 0. */
  counted(id: string): readonly Record<string, number>[] {
    const { resolved, counts } = this.view(id);
    return [resolved.slot, ...resolved.outputs.map(({ slot }) => slot)].map((slot) =>
      Object.fromEntries(Object.entries(counts(slot)).filter(([, count]) => count !== 0)),
    );
  }

  /**
   * Sends packets of ten flows to a group for as long as a change goes on, never more ahead of its rule than the kernel's queue between
   * two ends of a link has room for: whoever is late sends all of them on at once.
   *
   * @returns how many
   */
  async sendDuring(to: string, change: () => Promise<void>): Promise<number> {
    const going = { on: true };
    const begin = this.#taken(to);
    const done = change().finally(() => (going.on = false));
    const flows = Array.from({ length: 10 }, (_, i) =>
      relayFrame({ to, fromPort: 40_000 + i, payload: Buffer.alloc(100, i) }),
    );
    let [sent, taken] = [0, 0];
    while (going.on) {
      if (sent - taken >= AHEAD) taken = this.#taken(to) - begin;
      if (sent - taken < AHEAD) {
        this.net.send(flows);
        sent += flows.length;
      }
      await setImmediate();
    }
    await done;
    return sent;
  }

  /** Packets to a group that rules have taken. */
  #taken(group: string): number {
    return this.relay
      .views()
      .filter(({ resolved }) => resolved.rule.input.group === group)
      .reduce((sum, { resolved, counts }) => sum + counts(resolved.slot).packets, 0);
  }

  /** The groups that the router has joined on an interface. */
  joined(device: string): string[] {
    const text = this.net.router.run(() => readFileSync("/proc/thread-self/net/igmp", "utf8"));
    const own = text.split(/^(?=\d)/m).find((block) => block.includes(`\t${device} `)) ?? "";
    const groups = [...own.matchAll(/^\t+([0-9A-F]{8}) /gm)];
    return groups.map(([, hex]) => Buffer.from(hex!, "hex").toReversed().join("."));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    this.#kernel[Symbol.dispose]();
    this.net[Symbol.dispose]();
  }
}

/** The lab with segments inside the router: what leaves by `a0` comes in at `a1`, and so on for `b` and `c`. */
export function joinedRelay(): WholeRelay {
  const lab = new WholeRelay();
  ip(
    lab.net.router,
    ["a", "b", "c"].flatMap((name, i) => [
      `link add ${name}0 type veth peer name ${name}1`,
      `addr add 10.8.${i}.1/24 dev ${name}0`,
      `link set ${name}0 up`,
      `link set ${name}1 up`,
    ]),
  );
  // One packet is one packet on the way between them, too.
  for (const name of ["a0", "b0", "c0"])
    lab.net.ethtool(lab.net.router, name, "gso", "off", "tx-udp-segmentation", "off");
  return lab;
}
