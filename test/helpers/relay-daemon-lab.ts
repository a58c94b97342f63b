/** A daemon whose router has a relay between a host that sends and one that listens. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { LAB } from "../../demo/lab.ts";
import type { RelayRuleJson } from "../../src/api/schemas/relay.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { Capture } from "./capture.ts";
import { DaemonLab } from "./daemon.ts";
import { readUdp } from "./datagram-frame.ts";
import { eventually } from "./eventually.ts";
import { type PacketStream, stream } from "./packet-stream.ts";
import { relayFrame } from "./relay-frame.ts";

/** Longest wait for a worker on a busy machine, ms. */
export const PATIENCE = 20_000;

/** The daemon with a host that sends, and one that listens. */
export class RelayDaemonLab extends DaemonLab {
  readonly #sender = PacketSocket.open("inet0", this.shaped.lab.internet);
  readonly #capture = new Capture("sub0", this.shaped.lab.subscribers);
  #seen: string[] = [];

  constructor(more: string) {
    super(more);
    // Whoever listens sees packets one by one, and not what the kernel hands on before it cuts it up.
    const features = ["gso", "off", "tx-udp-segmentation", "off"];
    this.shaped.lab.router.run(() => execFileSync("ethtool", ["-K", LAB.lan, ...features], { stdio: "ignore" }));
  }

  send(count: number, to = "239.1.1.1", port = 5000): void {
    for (let i = 0; i < count; i += 1) this.#sender.send(relayFrame({ to, port }));
  }

  /** Sends packets to these groups in turn, from a thread of its own. */
  stream(groups: readonly string[], rate: number): Promise<PacketStream> {
    return stream(
      this.#sender.fd,
      groups.map((to) => relayFrame({ to })),
      // It ends by itself when a test fails.
      { rate, limit: 60 * rate },
    );
  }

  /** How many datagrams to a group came so far that nobody has waited for. */
  heard(to: string): number {
    for (const frame of this.#capture.take()) this.#seen.push(readUdp(frame)?.to ?? "");
    return this.#seen.filter((group) => group === to).length;
  }

  /** Waits for so many datagrams to a group, and no more. */
  async hears(to: string, count: number): Promise<void> {
    await eventually(() => assert.equal(this.heard(to), count, `datagrams to ${to}`), PATIENCE);
    this.#seen = this.#seen.filter((group) => group !== to);
  }

  async rule(id: string): Promise<RelayRuleJson> {
    return (await this.client.call("relay.rule", { params: { id } })).rule;
  }

  /** Waits until a rule is carried. */
  carried(id: string, by: "kernel" | "user"): Promise<RelayRuleJson> {
    return eventually(async () => {
      const rule = await this.rule(id);
      assert.equal(rule.carriedBy, by, JSON.stringify(rule));
      return rule;
    }, PATIENCE);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#sender[Symbol.dispose]();
    this.#capture[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }
}
