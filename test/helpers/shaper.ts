/** A shaper on the lab's router, with a root folder of its own that is gone with it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lab } from "../../demo/lab.ts";
import { SHAPER_ACTIONS, type ShaperAction } from "../../src/shaper/actions.ts";
import type { LiveRates } from "../../src/shaper/live-rates.ts";
import type { Isp, ShaperConfig } from "../../src/shaper/model.ts";
import { type ExecutorChoice, Shaper, type ShapeOptions } from "../../src/shaper/shaper.ts";
import { shaperPlace } from "./egress.ts";
import { config } from "./isp.ts";

/** A lab, a shaper on its router, and short words for what tests do with them. */
export class ShapedLab implements Disposable {
  readonly lab: Lab;
  readonly root: string;
  readonly #keepsRoot: boolean;
  readonly shaper: Shaper;
  readonly config: ShaperConfig;

  /** @param options among them `root`, a folder that is there and stays; otherwise one of its own goes with it */
  constructor(
    options: {
      queues?: number;
      hosts?: readonly string[];
      config?: Partial<ShaperConfig>;
      root?: string;
      live?: LiveRates;
    } = {},
  ) {
    this.root = options.root ?? mkdtempSync(join(tmpdir(), "sluice-test-"));
    this.#keepsRoot = options.root !== undefined;
    this.lab = new Lab(options.queues ?? 4, options.hosts);
    this.config = config(options.config);
    const live = options.live ? { live: options.live } : {};
    this.shaper = Shaper.open({ ...shaperPlace(this.root, this.lab.router.path), ...live }, this.config.link);
  }

  /** The plan's actions, in words. */
  plan(isp: Isp, overrides: Partial<ShaperConfig> = {}, options: ShapeOptions = {}): string[] {
    const { actions } = this.shaper.plan(isp, { ...this.config, ...overrides }, options);
    return actions.map((action) => `${SHAPER_ACTIONS.sign(action)} ${SHAPER_ACTIONS.describe(action)}`);
  }

  /** Applies and returns the actions. */
  async apply(
    isp: Isp,
    overrides: Partial<ShaperConfig> = {},
    options: ShapeOptions & { executor?: ExecutorChoice } = {},
  ): Promise<readonly ShaperAction[]> {
    const plan = this.shaper.plan(isp, { ...this.config, ...overrides }, options);
    await this.shaper.apply(plan, options.executor ?? { kind: "netlink" });
    return plan.actions;
  }

  /** What a command prints inside the router. */
  router(command: string): string {
    return this.lab.router.run(() => execFileSync("sh", ["-c", command], { encoding: "utf8" }));
  }

  /** The lines of what a command prints inside the router, in order, without the count of packets that passed an HTB. */
  lines(command: string): string[] {
    const text = this.router(command).replaceAll(/direct_packets_stat \d+/g, "");
    return text.split("\n").toSorted();
  }

  /** Packets sent per class of a device, by class id; classes that sent nothing are left out. */
  packets(device: string): Record<string, number> {
    const found: Record<string, number> = {};
    const text = this.router(`tc -s class show dev ${device}`);
    for (const [, classid, count] of text.matchAll(/^class htb (\S+) .*\n Sent \d+ bytes (\d+) pkt/gm)) {
      if (Number(count) > 0) found[classid!] = Number(count);
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.shaper[Symbol.dispose]();
    this.lab[Symbol.dispose]();
    execFileSync("sh", ["-c", `umount ${this.root}/sys/fs/bpf/sluice 2>/dev/null; true`]);
    if (!this.#keepsRoot) rmSync(this.root, { recursive: true });
  }
}
