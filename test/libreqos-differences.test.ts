/**
 * Where sluice's own dialect does other than LibreQoS's: the same files and rates through both. Each row of the table in
 * docs/libreqos.md names the test here that proves it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { handle } from "../src/core/tc/handle.ts";
import { buildShaper } from "../src/shaper/build.ts";
import { toDesired } from "../src/shaper/libreqos/desired.ts";
import { parseLqosConf } from "../src/shaper/libreqos/lqos-conf.ts";
import type { LibreqosSettings } from "../src/shaper/libreqos/settings.ts";
import type { DesiredDevice, LeafKind, ShaperConfig } from "../src/shaper/model.ts";
import { parseDevices } from "../src/shaper/sources/devices.ts";
import { joinIsp } from "../src/shaper/sources/isp.ts";
import { parseNetwork } from "../src/shaper/sources/network.ts";
import { buildTree, type TreeNode } from "../src/shaper/tree.ts";
import { config, facts } from "./helpers/isp.ts";
import { builtLibreqos, deviceList, node, type RowSketch, runLibreqos, spoken } from "./helpers/libreqos.ts";

const FILES = { network: "network.json", devices: "ShapedDevices.csv" };

/** The same files as sluice's own dialect reads them. */
const readOwn = (network: object | string, devices: string) =>
  joinIsp(
    parseNetwork(typeof network === "string" ? network : JSON.stringify(network), FILES.network),
    parseDevices(devices, FILES.devices),
    FILES,
  );

/** Codes of what is wrong with them there. */
const ownCodes = (network: object | string, rows: readonly RowSketch[] | string): string[] =>
  readOwn(network, typeof rows === "string" ? rows : deviceList(rows)).problems.map(({ code }) => code);

interface Options {
  readonly queues?: number;
  readonly config?: Partial<ShaperConfig>;
  readonly kinds?: readonly LeafKind[];
  readonly prior?: ReturnType<typeof buildShaper>["allocation"];
}

/** Sluice's own tree and state of the same files. */
function own(network: object, rows: readonly RowSketch[], options: Options = {}) {
  const { isp, problems } = readOwn(network, deviceList(rows));
  assert.ok(isp, problems[0]?.message);
  return buildShaper({
    isp,
    config: config({ leaf: { kind: "cake", diffserv: "diffserv4" }, ...options.config }),
    facts: facts(options.queues ?? 4, options.kinds),
    prior: options.prior ?? new Map(),
    observed: { devices: new Map() },
  });
}

/** What LibreQoS's lines lead to on the download device. */
const theirs = (network: object, rows: readonly RowSketch[], settings: Partial<LibreqosSettings> = {}): DesiredDevice =>
  toDesired(builtLibreqos(network, rows, settings)).desired!.devices[0]!;

const find = (nodes: readonly TreeNode[], name: string): TreeNode => {
  const all = (level: readonly TreeNode[]): TreeNode[] => level.flatMap((one) => [one, ...all(one.children)]);
  return all(nodes).find((one) => one.name === name)!;
};

const ADDRESS = { ipv4: "10.0.0.1" } as const;

describe("the two dialects", () => {
  it("rates of nodes: whole Mbit/s against rates as they are written", () => {
    const network = { A: node(10.9, 10.9, { children: { B: node(0.5, 10) } }) };
    const { tree } = own(network, [{ id: "x", parent: "B", ...ADDRESS, rates: [0.1, 0.1, 5, 5] }]);
    assert.equal(find(tree.nodes, "A").ceil.download, 10_900_000);
    assert.equal(find(tree.nodes, "B").ceil.download, 500_000);
    const built = builtLibreqos(network, [{ id: "x", parent: "B" }], { queuesAvailable: 2 });
    const ceils = built.placement.nodes[0]!;
    assert.deepEqual([ceils.max.download, ceils.children![0]!.max.download], [10, 0]);
    assert.ok(built.commands.some(({ fate, line }) => fate === "lost" && line.includes("0kbit")));
  });

  it("rtt of slow circuits: microseconds at four rates against milliseconds in ranges", () => {
    const row: RowSketch = { id: "x", ...ADDRESS, rates: [0.1, 0.1, 2, 1.4] };
    const cakes = (device: DesiredDevice) =>
      device.qdiscs.flatMap(({ qdisc }) => (qdisc.kind === "cake" ? (qdisc.rtt ?? []) : []));
    assert.deepEqual(cakes(theirs({}, [row])), [180]);
    const { desired } = own({}, [row]);
    assert.deepEqual(
      desired.devices.map((device) => cakes(device)),
      [[180_000], [300_000]],
    );
    assert.deepEqual(cakes(toDesired(builtLibreqos({}, [row])).desired!.devices[1]!), [], "1.4 is none of the four");
  });

  it("guarantees of nodes: the whole maximum of each against what adds up", () => {
    const network = { A: node(900, 900), B: node(900, 900) };
    const rows: readonly RowSketch[] = [{ id: "x", parent: "A", ...ADDRESS, rates: [3, 2, 9, 9] }];
    const mins = builtLibreqos(network, rows)
      .placement.nodes.slice(0, 2)
      .map(({ min }) => min.download);
    assert.deepEqual(mins, [900, 900], "of a line of 1000");
    const [a, b] = own(network, rows).tree.nodes.map(({ rate }) => rate.download);
    assert.ok(a! >= 3e6 && a! + b! <= 990e6, `${a} and ${b}`);
  });

  it("guarantees of siblings: raised by each other's circuits against untouched", () => {
    const least = { downloadBandwidthMbpsMin: 1, uploadBandwidthMbpsMin: 1 };
    const network = { A: node(100, 100, least), B: node(100, 100, least) };
    const rows = (min: number): readonly RowSketch[] => [{ id: "x", parent: "A", ...ADDRESS, rates: [min, 1, 50, 9] }];
    const guarantee = (min: number): number => builtLibreqos(network, rows(min)).placement.nodes[1]!.min.download;
    assert.deepEqual([guarantee(1), guarantee(30)], [1, 30]);
    const before = own(network, rows(1));
    const after = own(network, rows(30), { prior: before.allocation });
    assert.deepEqual(find(after.tree.nodes, "B").rate, find(before.tree.nodes, "B").rate);
  });

  it("guarantees of circuits: 1 Mbit/s or 10 kbit/s for all against refused, or scaled in proportion", () => {
    const network = { A: node(10, 10) };
    const rows: readonly RowSketch[] = [
      {
        id: "x",
        parent: "A",
        ipv4: "10.0.0.1",
        rates: [12, 1, 20, 5].map(String) as unknown as [number, number, number, number],
      },
      { id: "y", parent: "A", ipv4: "10.0.0.2", rates: [4, 1, 20, 5] },
    ];
    const mins = builtLibreqos(network, rows).placement.nodes[0]!.circuits.map(({ min }) => min.download.value);
    assert.deepEqual(mins, [1, 1]);
    const { isp } = readOwn(network, deviceList(rows));
    const { problems } = buildTree(isp!, config());
    assert.deepEqual(
      problems.filter(({ severity }) => severity === "error").map(({ code }) => code),
      ["SHAPER_MINIMUMS_OVERSUBSCRIBED"],
    );
    const { tree } = buildTree(isp!, config({ minimums: "scale" }));
    const [x, y] = find(tree.nodes, "A").circuits.map(({ rate }) => rate.download);
    assert.ok(x! > 2 * y! && x! + y! <= 10_000_000, `${x} and ${y}`);
  });

  it("the link: not above the nodes against the root class of every queue", () => {
    const network = { A: node(900, 900), B: node(900, 900) };
    const rows: readonly RowSketch[] = [{ id: "x", parent: "A", ...ADDRESS }];
    const { classes } = theirs(network, rows, { queuesAvailable: 2 });
    const top = classes.filter(({ classid }) => classid === handle(1, 3) || classid === handle(2, 3));
    assert.deepEqual(
      top.map(({ parent }) => parent),
      [handle(1), handle(2)],
      "the HTB itself",
    );
    const device = own(network, rows, { queues: 1 }).desired.devices[0]!;
    const [root, ...below] = device.classes;
    assert.ok(below.filter(({ parent }) => parent === root!.classid).length >= 3, "both nodes and unknown hosts");
    assert.equal(root!.htb.ceil, 1e9);
  });

  it("capacities: the uplink's for both against one per direction", () => {
    const text = `version = "1.5"\nlqos_directory = "/x"\n[bridge]\nto_network = "a"\nto_internet = "b"\n[queues]\ndefault_sqm = "cake"\ndownlink_bandwidth_mbps = 800\nuplink_bandwidth_mbps = 200\ngenerated_pn_download_mbps = 1\ngenerated_pn_upload_mbps = 1\n`;
    const { conf } = parseLqosConf(text, "lqos.conf");
    assert.deepEqual([conf!.options.capacity, conf!.downlink], [{ download: 200, upload: 200 }, 800]);
    const rate = { download: 8e8, upload: 2e8 } as ShaperConfig["rate"];
    const { desired } = own({}, [{ id: "x", ...ADDRESS, rates: [1, 1, 700, 700] }], { config: { rate } });
    assert.deepEqual(
      desired.devices.map(({ classes }) => Math.max(...classes.map(({ htb }) => htb.ceil))),
      [8e8, 2e8],
    );
  });

  it("class ids: moved by every change in front against kept for life", () => {
    const rows: readonly RowSketch[] = ["a", "b", "c"].map((id, i) => ({ id, ipv4: `10.0.0.${i}`, parent: "N" }));
    const network = { N: node(500, 500) };
    const before = builtLibreqos(network, rows).placement.nodes[0]!.circuits.at(-1)!.minor;
    const after = builtLibreqos(network, rows.slice(1)).placement.nodes[0]!.circuits.at(-1)!.minor;
    assert.deepEqual([before, after], [6, 5]);
    const first = own(network, rows);
    const second = own(network, rows.slice(1), { prior: first.allocation });
    const target = (built: typeof first) => built.desired.hosts.get("10.0.0.2/32")!.target;
    assert.deepEqual(target(second), target(first));
  });

  it("orphans: below generated nodes that cap them against on the link itself", () => {
    const rows: readonly RowSketch[] = [{ id: "x", ...ADDRESS, rates: [1, 1, 500, 500] }];
    const settings = { generated: { download: 100, upload: 100 }, queuesAvailable: 2 };
    const [generated] = builtLibreqos({}, rows, settings).placement.nodes;
    assert.equal(generated!.circuits[0]!.max.download.value, 100);
    assert.equal(theirs({}, [], settings).classes.length, 2 * 2 + 2, "a node per queue, also for nobody");
    const { tree } = own({}, rows);
    assert.equal(tree.orphans[0]!.ceil.download, 500e6);
    assert.equal(tree.nodes.length, 0);
  });

  it("unknown hosts: a quarter of the line on every queue against one hundredth", () => {
    const rows: readonly RowSketch[] = [{ id: "x", ...ADDRESS }];
    const fallback = theirs({}, rows).classes.find(({ classid }) => classid === handle(1, 2))!;
    assert.deepEqual([fallback.htb.rate, fallback.htb.ceil], [250e6, 999e6]);
    const unknown = own({}, rows).tree.unknown.download;
    assert.deepEqual([unknown.rate, unknown.ceil], [10e6, 1e9]);
  });

  it("bursts: tc's 1600 bytes against 10 ms of the rate", () => {
    const rows: readonly RowSketch[] = [{ id: "x", ...ADDRESS, rates: [1, 1, 80, 20] }];
    const ceil80 = (classes: DesiredDevice["classes"]) => classes.find(({ htb }) => htb.ceil === 80e6)!.htb.cburst;
    assert.equal(ceil80(theirs({}, rows).classes), 1600);
    assert.equal(ceil80(own({}, rows).desired.devices[0]!.classes), 100_000);
  });

  it("deep trees: all that is below the fifth level side by side against as they are while that loses nothing", () => {
    const chain = (level: number): object =>
      node(level === 7 ? 10 : 100, 100, level < 9 ? { children: { [`L${level + 1}`]: chain(level + 1) } } : {});
    const rows: readonly RowSketch[] = [
      { id: "x", parent: "L7", ipv4: "10.0.0.1", rates: [1, 1, 9, 9] },
      { id: "y", parent: "L9", ipv4: "10.0.0.2", rates: [1, 1, 9, 9] },
    ];
    const built = builtLibreqos({ L1: chain(1) }, rows, { queuesAvailable: 2 });
    let level = built.placement.nodes.slice(0, 1);
    while (level.length === 1 && level[0]!.children) level = [...level[0]!.children];
    assert.deepEqual(
      level.map(({ name }) => name),
      ["L6", "L7", "L8", "L9"],
      "L7 and L9 may send 10 Mbit/s each",
    );
    const { tree } = own({ L1: chain(1) }, rows);
    assert.equal(find([find(tree.nodes, "L7")], "L9").ceil.download, 10e6);
  });

  it("duplicates: the last one wins, or all are built, against refused", () => {
    const rows: readonly RowSketch[] = [
      { id: "x", ...ADDRESS },
      { id: "y", ...ADDRESS },
    ];
    assert.ok(runLibreqos({}, rows).built);
    assert.deepEqual(ownCodes({}, rows), ["DEVICES_ADDRESS_DUPLICATE"]);
    const twice = { A: node(9, 9, { children: { X: node(9, 9) } }), B: node(9, 9, { children: { X: node(9, 9) } }) };
    assert.ok(runLibreqos(twice, []).built);
    assert.ok(ownCodes(twice, [{ id: "x", parent: "X", ...ADDRESS }]).includes("NETWORK_DUPLICATE_NODE"));
    const key = `{"A": ${JSON.stringify(node(9, 9))}, "A": ${JSON.stringify(node(8, 8))}}`;
    assert.ok(runLibreqos(key, []).built);
    assert.ok(
      ownCodes(key, [{ id: "x", parent: "A", ...ADDRESS }]).some((code) => code.startsWith("NETWORK_DUPLICATE")),
    );
  });

  it("unknown parents: left unshaped with a warning against refused", () => {
    const rows: readonly RowSketch[] = [{ id: "x", parent: "AP-1", ...ADDRESS }];
    const network = { AP_1: node(9, 9) };
    assert.equal(builtLibreqos(network, rows).placement.nodes[0]!.circuits.length, 0);
    assert.deepEqual(ownCodes(network, rows), ["DEVICES_PARENT_UNKNOWN"]);
  });

  it("fractional rates: fatal for circuits of several devices against fine", () => {
    const rows: readonly RowSketch[] = [1, 2].map((i) => ({ id: "x", ipv4: `10.0.0.${i}`, rates: [1, 1, 2.5, 2.5] }));
    assert.deepEqual(spoken(runLibreqos({}, rows)), [
      "EXCEPTION: ValueError: invalid literal for int() with base 10: '2.5'",
    ]);
    assert.deepEqual(ownCodes({}, rows), []);
  });

  it("rates that differ in a circuit: the first row's against refused", () => {
    const rows: readonly RowSketch[] = [10, 20].map((rate) => ({
      id: "x",
      ipv4: `10.0.0.${rate}`,
      rates: [1, 1, rate, rate],
    }));
    assert.equal(builtLibreqos({}, rows).circuits[0]!.max.download, 10);
    assert.ok(ownCodes({}, rows).includes("DEVICES_DUPLICATE_CIRCUIT"));
  });

  it("the header: thirteen columns by position against columns by name", () => {
    const other = "Circuit ID,Download Max Mbps,Upload Max Mbps,IPv4,sqm\nx,10,10,10.0.0.1,fq_codel\n\n";
    assert.deepEqual(ownCodes({}, other), []);
    assert.equal(readOwn({}, other).isp!.circuits[0]!.leaf.download, "fq_codel");
    const headless = deviceList([{ id: "x", ...ADDRESS }])
      .split("\n")
      .slice(1)
      .join("\n");
    assert.ok(ownCodes({}, headless).includes("DEVICES_NO_HEADER"), "a first row that is no header is not lost");
  });

  it("what is no number: written into the kernel, or fatal, against refused", () => {
    const rows: readonly RowSketch[] = [{ id: "x", ...ADDRESS, rates: ["nan", 1, 5, 5] }];
    assert.ok(builtLibreqos({}, rows).commands.some(({ line }) => line.includes("nankbit")));
    assert.deepEqual(ownCodes({}, rows), ["DEVICES_RATE_INVALID"]);
  });

  it("virtual nodes: real ones against dissolved", () => {
    const network = { V: node(9, 9, { type: "virtual", children: { A: node(9, 9) } }) };
    const rows: readonly RowSketch[] = [{ id: "x", parent: "A", ...ADDRESS }];
    assert.deepEqual(
      builtLibreqos(network, rows)
        .placement.nodes.slice(0, 1)
        .map(({ name }) => name),
      ["V"],
    );
    assert.deepEqual(
      own(network, rows).tree.nodes.map(({ name }) => name),
      ["A"],
    );
  });

  it("one queue: refused against one HTB without mq", () => {
    const device = own({}, [{ id: "x", ...ADDRESS }], { queues: 1 }).desired.devices[0]!;
    assert.equal(device.qdiscs[0]!.qdisc.kind, "htb");
  });

  it("fast circuits: always the default leaf against fq_codel from fast_rate", () => {
    const rows: readonly RowSketch[] = [{ id: "x", ...ADDRESS, rates: [1, 1, 1000, 1000] }];
    const circuitLeaf = (device: DesiredDevice) => device.qdiscs.at(-1)!.qdisc.kind;
    assert.equal(circuitLeaf(theirs({}, rows, { queuesAvailable: 2 })), "cake");
    assert.equal(circuitLeaf(own({}, rows).desired.devices[0]!), "fq_codel");
  });
});

describe("docs/libreqos.md", () => {
  it("names a test of this file in every row of its table of differences, and all of them", () => {
    const page = readFileSync(join(import.meta.dirname, "../docs/libreqos.md"), "utf8");
    const source = readFileSync(import.meta.filename, "utf8");
    const section = page.split("## Where the two dialects differ")[1]!.split("\n## ")[0]!;
    const named = [...section.matchAll(/^\| [^|]+ \|.*\| `([^`|]+)` +\|$/gm)].map(([, name]) => name!);
    const tests = [...source.matchAll(/^ {2}it\("([^":]+):/gm)].map(([, name]) => name!);
    assert.deepEqual(named, tests);
  });
});
