/**
 * A site of a shaped tree whose backhaul varies, from one end to the other: sluiced shapes the example ISP, asks hosts behind
 * the site, and sets the site to what the line there carries while subscribers load it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { Servers } from "../../demo/iperf.ts";
import { LAB } from "../../demo/lab.ts";
import type { Output } from "../../src/api/routes.ts";
import { type Both, type Direction, DIRECTIONS } from "../../src/core/both.ts";
import { Backhaul } from "../helpers/backhaul.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** Subscribers of Alder Hill, whose plans together are twice what the site has. */
const DOWNLOADERS = ["100.64.10.1", "100.64.10.2", "100.64.10.4"];
const UPLOADER = "100.64.10.5";
/** Radios behind the backhaul, in no circuit. */
const RADIOS = [1, 2, 3, 4, 5, 6].map((n) => `100.64.99.${n}`);
const FIRST_PORT = 5301;
/** Fills every queue, for as long as the test may last. */
const TCP = ["-C", "cubic", "-P", "3", "-t", "170"];
/** The site's link is planned with 40 and 20 Mbit/s. */
const PLAN = { download: 40, upload: 20 };
const LINK = `
[autorate.links.hill]
site = "Alder Hill"
reflector_file = "radios.csv"
reflector_side = "subscribers"
download_base = "25mbit"
download_min = "3mbit"
download_max = "40mbit"
upload_base = "10mbit"
upload_min = "1mbit"
upload_max = "20mbit"
`;
/** What the backhaul carries, kbit/s. */
const WIDE = { download: 20_000, upload: 8000 };
const NARROW = { download: 8000, upload: 3000 };
/** The rate follows within so long, ms; on a quiet machine it is a second. */
const FOLLOWS = 30_000;

/** The whole of it: the daemon, the line, and who loads it. */
class SiteLab extends DaemonLab {
  readonly backhaul: Backhaul;
  #servers: Servers | undefined;
  #flows: readonly ChildProcess[] = [];

  constructor() {
    super(LINK, { queues: 1, hosts: RADIOS });
    const rows = RADIOS.map((address) => `${address},4,radio`);
    writeFileSync(this.path("radios.csv"), ["reflector_ip,ip_version,description", ...rows, ""].join("\n"));
    this.backhaul = new Backhaul(this.shaped.lab.subscribers, WIDE, [...DOWNLOADERS, UPLOADER]);
  }

  /** Everybody takes what there is. */
  async load(): Promise<void> {
    const { internet } = this.shaped.lab;
    const clients = [...DOWNLOADERS.map((host) => [host, "-R"]), [UPLOADER]];
    const ports = clients.map((_, i) => FIRST_PORT + i);
    this.#servers = await Servers.start(internet, ports);
    this.#flows = clients.map(([host, ...more], i) => {
      const to = ["-c", LAB.server[4], "-B", host!, "-p", String(ports[i]), ...TCP, ...more];
      // It dies with this process, also after kill -9: it would hold its namespace for ever.
      return this.backhaul.homes.run(() =>
        spawn("setpriv", ["--pdeathsig", "KILL", "iperf3", ...to], { stdio: "ignore" }),
      );
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const flow of this.#flows) flow.kill("SIGKILL");
    this.#servers?.[Symbol.dispose]();
    this.backhaul[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }
}

type Link = Output<"autorate.link">;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
/** Of the last three seconds, Mbit/s and ms: the rate goes up and down a little while it looks for more. */
const rateOf = ({ history }: Link, d: Direction): number =>
  median(history.map((tick) => tick[d].rateBitsPerSecond / 1e6));
const delayOf = ({ history }: Link, d: Direction): number =>
  median(history.map((tick) => tick[d].deltaMs ?? Number.NaN));

/** The class of a site, as its target names it. */
const classOf = ({ link }: Link, d: Direction): string => /class (\S+) of/.exec(link[d]!.target)![1]!;

test("a site follows its backhaul", async (t) => {
  await using lab = new SiteLab();
  const { backhaul, client } = lab;
  const hill = (): Promise<Link> => client.call("autorate.link", { params: { name: "hill" }, query: { ticks: "30" } });
  /** Ceilings of the classes of an interface in Mbit/s, by class id. */
  const ceilings = (device: string): Map<string, number> => {
    const units: Readonly<Record<string, number>> = { "": 1e-6, K: 1e-3, M: 1, G: 1e3 };
    const text = lab.shaped.router(`tc class show dev ${device}`);
    const lines = text.matchAll(/^class htb (\S+) .*?ceil (\d+)([KMG]?)bit/gm);
    return new Map([...lines].map(([, id, ceil, unit]) => [id!, Number(ceil) * units[unit!]!]));
  };
  /** Waits until both directions are what a line carries, without a queue of note before it. */
  const follows = (line: Both<number>): Promise<void> =>
    eventually(async () => {
      const link = await hill();
      for (const d of DIRECTIONS) {
        const [rate, carried] = [rateOf(link, d), line[d] / 1000];
        const why = (): string => `${d}: ${rate} of ${carried} Mbit/s, ${JSON.stringify(link.link.last)}`;
        assert.ok(rate > 0.6 * carried && rate < 1.2 * carried, why());
        assert.ok(delayOf(link, d) < 60, why());
      }
    }, FOLLOWS);
  const plan = async (): Promise<readonly unknown[]> => (await client.call("shaper.plan", {})).actions;

  await lab.start();
  await lab.load();

  await t.test("down and up, in both directions, and subscribers keep their plans", async () => {
    const planned = { download: ceilings(LAB.lan), upload: ceilings(LAB.wan) };
    await follows(WIDE);
    backhaul.carry(NARROW);
    await follows(NARROW);
    const link = await hill();
    for (const [d, device] of [
      ["download", LAB.lan],
      ["upload", LAB.wan],
    ] as const) {
      const site = classOf(link, d);
      // It changes ten times a second: sooner or later both looks are at the same rate.
      const now = await eventually(async () => {
        const { link: seen } = await hill();
        const found = ceilings(device);
        assert.equal(found.get(site), seen.last![d].rateBitsPerSecond / 1e6, `${d}: the kernel has what is told`);
        return found;
      }, FOLLOWS);
      planned[d].delete(site);
      now.delete(site);
      assert.deepEqual(now, planned[d], "every other class has its plan");
    }
    backhaul.carry(WIDE);
    await follows(WIDE);
  });

  await t.test("its rate is no difference to the plan, and stays through a reload of something else", async () => {
    assert.deepEqual(await plan(), []);
    backhaul.carry(NARROW);
    await follows(NARROW);
    const before = await hill();
    lab.write("ShapedDevices.csv", (text) => text.replace(/^1001,(.*),25,8,$/m, "1001,$1,24,8,"));
    const { summary } = await client.call("config.reload", {});
    assert.ok(summary.change > 0);
    const ceil = ceilings(LAB.lan);
    assert.ok([...ceil.values()].includes(24), "the circuit has its new plan");
    assert.ok(ceil.get(classOf(before, "download"))! < 0.6 * PLAN.download, "the site keeps its rate");
    await follows(NARROW);
    const counts = async (): Promise<void> => assert.ok((await hill()).link.ticks > before.link.ticks);
    await eventually(counts); // One that was started again would have to count from 0.
    assert.deepEqual(await plan(), []);
    assert.deepEqual((await client.call("health", {})).conditions, []);
    const { events } = await client.call("events", { query: { limit: "200" } });
    const others = events.filter(({ kind }) => /^(drift|autorate\.contested|part)/.test(kind));
    assert.deepEqual(others, [], "nobody takes it for somebody else's doing");
  });

  /** Writes the configuration with this link, or without one, and has it taken. */
  const configure = async (link: string): Promise<void> => {
    lab.write("sluice.toml", (text) => `${text.slice(0, text.indexOf("\n[autorate"))}${link}`);
    await client.call("config.reload", {});
  };
  const site = (d: Direction): number => ceilings(d === "download" ? LAB.lan : LAB.wan).get(classOf(places, d))!;
  const isPlanned = (): void => assert.deepEqual([site("download"), site("upload")], [PLAN.download, PLAN.upload]);
  const places = await hill();

  await t.test("without its link it has its planned rate again", async () => {
    await configure("\n[autorate]\n");
    await eventually(isPlanned, 10_000);
    assert.deepEqual((await client.call("autorate.links", {})).links, []);
    assert.deepEqual(await plan(), []);
  });

  await t.test("also when the link that drove it could not be started any more", async () => {
    await configure(LINK);
    await eventually(() => assert.ok(site("download") < 30 && site("upload") < 15), FOLLOWS);
    await configure(`${LINK}controller = "none.lua"\n`);
    const failed = async (): Promise<void> => {
      const { conditions } = await client.call("health", {});
      assert.deepEqual(
        conditions.map(({ code }) => code),
        ["AUTORATE_FAILED"],
      );
    };
    await eventually(failed, 10_000);
    assert.ok(site("download") < 30, "what was found last holds meanwhile");
    await configure("\n[autorate]\n");
    await eventually(isPlanned, 10_000);
    assert.deepEqual((await client.call("health", {})).conditions, []);
    assert.deepEqual(await plan(), []);
  });
});
