/**
 * The demo: a small ISP on real kernel objects. Three namespaces, the example network shaped by the `sluice` command, and
 * real TCP against every plan; then a site in contention, and a plan changed while its subscriber downloads. In the end
 * the relay, on segments of its own.
 *
 * Run it in a mount namespace of its own (`npm run demo` does), so that not even its temporary files outlive it.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mount } from "../src/linux/ffi.ts";
import { check } from "../src/linux/errno.ts";
import { both } from "../src/core/both.ts";
import { type Both, type Circuit, DIRECTIONS, type Direction } from "../src/shaper/model.ts";
import { readIsp } from "../src/shaper/sources/isp.ts";
import { table } from "../src/cli/render/table.ts";
import { Lab, LAB } from "./lab.ts";
import { PacketCounter } from "./counter.ts";
import { type Measured, measure, Servers } from "./iperf.ts";
import { relayScene } from "./relay.ts";
import { sluice } from "./sluice.ts";

const QUEUES = 4;
const FIRST_PORT = 5201;
/** Every speed must lie within this part of the plan. TCP's payload is 94 to 96 % of what a plan counts, its frames. */
const WANTED = { least: 0.9, most: 1.05 };
const SITE = "Alder Hill";
const CHANGED = { id: "1003", before: "7.5,2.5", after: "15,5" };

const started = performance.now();
const folder = "/mnt/sluice-demo";
const output = process.stdout;

const mbit = (rate: number): string => (rate / 1e6).toFixed(rate < 10e6 ? 2 : 1);
const heading = (text: string): void => console.log(`\n== ${text}`);

/** A host of a circuit: IPv4 when it has any. A network's first host is its address plus one. */
function hostOf(circuit: Circuit): string {
  const prefixes = circuit.devices.flatMap((device) => device.prefixes);
  const prefix = prefixes.find(({ family }) => family === 4) ?? prefixes[0]!;
  const [address] = prefix.key.split("/") as [string];
  if (prefix.family === 6) return prefix.length === 128 ? address : `${address}1`;
  return prefix.length === 32 ? address : address.replace(/\d+$/, (last) => String(Number(last) + 1));
}

interface Subscriber {
  readonly circuit: Circuit;
  readonly host: string;
  readonly port: number;
}

/** Runs the tests of several subscribers at once. */
function measureAll(lab: Lab, who: readonly Subscriber[], direction: Direction, seconds = 2): Promise<Measured[]> {
  return Promise.all(
    who.map(({ host, port }) => {
      const server = LAB.server[host.includes(":") ? 6 : 4];
      return measure(lab.subscribers, { client: host, server, port, direction, seconds, omit: 1 });
    }),
  );
}

/** Groups in which nobody shares an access point or an oversubscribed site with another: each is alone on its way. */
function waves(subscribers: readonly Subscriber[], siteOf: (parent: string | undefined) => string): Subscriber[][] {
  const groups = [...Map.groupBy(subscribers, ({ circuit }) => siteOf(circuit.parent)).values()];
  const longest = Math.max(...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, i) => groups.flatMap((group) => group[i] ?? []));
}

interface Row {
  readonly subscriber: Subscriber;
  readonly goodput: Both<number>;
}

const isReached = (row: Row, d: Direction): boolean => {
  const part = row.goodput[d] / row.subscriber.circuit.max[d];
  return part >= WANTED.least && part <= WANTED.most;
};

const speed = (row: Row, d: Direction): string => {
  const part = Math.round((100 * row.goodput[d]) / row.subscriber.circuit.max[d]);
  return `${mbit(row.goodput[d])} (${part} %)${isReached(row, d) ? "" : " !"}`;
};

async function run(): Promise<boolean> {
  const files = { network: join(folder, "network.json"), devices: join(folder, "ShapedDevices.csv") };
  const { isp, problems } = readIsp(files);
  if (!isp) throw new Error(`The example has errors: ${JSON.stringify(problems)}`);
  const subscribers = isp.circuits.map((circuit, i): Subscriber => ({
    circuit,
    host: hostOf(circuit),
    port: FIRST_PORT + i,
  }));

  heading(`Three namespaces: subscribers - router - Internet, joined by veths with ${QUEUES} queues`);
  using lab = new Lab(
    QUEUES,
    subscribers.map(({ host }) => host),
  );
  using _servers = await Servers.start(
    lab.internet,
    subscribers.map(({ port }) => port),
  );
  const place = ["--config", join(folder, "sluice.toml"), "--netns", lab.router.path];

  heading("An ISP described by network.json and ShapedDevices.csv");
  sluice(["check", "--config", join(folder, "sluice.toml")]);
  sluice(["apply", ...place]);
  sluice(["plan", ...place], { quiet: true });
  sluice(["shaper", "tree", ...place]);

  heading("A user's own program beside the shaper's classifier, on the same hook");
  const counter = new PacketCounter(LAB.lan, lab.router.path);

  heading("Every subscriber alone on the way, TCP (iperf3, cubic), payload in Mbit/s and percent of the plan");
  const atContended = new Set(isp.nodes.find(({ name }) => name === SITE)!.children.map(({ name }) => name));
  const rows: Row[] = [];
  for (const wave of waves(subscribers, (parent) => (parent && atContended.has(parent) ? SITE : (parent ?? "link")))) {
    const results = {
      download: await measureAll(lab, wave, "download"),
      upload: await measureAll(lab, wave, "upload"),
    };
    for (const [i, subscriber] of wave.entries()) {
      rows.push({ subscriber, goodput: both((d) => results[d][i]!.goodput) });
    }
  }
  rows.sort((a, b) => a.subscriber.port - b.subscriber.port);
  const columns = [
    { title: "CIRCUIT", cell: (row: Row) => row.subscriber.circuit.id },
    { title: "NAME", cell: (row: Row) => row.subscriber.circuit.name },
    { title: "NODE", cell: (row: Row) => row.subscriber.circuit.parent ?? "-" },
    ...DIRECTIONS.flatMap((d) => [
      {
        title: `${d.toUpperCase()} PLAN`,
        align: "right" as const,
        cell: (row: Row) => mbit(row.subscriber.circuit.max[d]),
      },
      { title: "MEASURED", align: "right" as const, cell: (row: Row) => speed(row, d) },
    ]),
  ];
  console.log(table(rows, columns, output).join("\n"));
  const reached = rows.every((row) => DIRECTIONS.every((d) => isReached(row, d)));
  console.log(reached ? "Every plan is reached within 90 to 105 %." : "Some plan was missed: marked with !.");

  const site = isp.nodes.find(({ name }) => name === SITE)!;
  const crowd = subscribers.filter(({ circuit }) => circuit.parent !== undefined && atContended.has(circuit.parent));
  heading(`All ${crowd.length} circuits of ${SITE} at once: they share the site's rate`);
  const totals = { download: 0, upload: 0 };
  const shares: Both<Measured[]> = {
    download: await measureAll(lab, crowd, "download", 4),
    upload: await measureAll(lab, crowd, "upload", 4),
  };
  for (const d of DIRECTIONS) totals[d] = shares[d].reduce((sum, { goodput }) => sum + goodput, 0);
  const list = (d: Direction): string => shares[d].map(({ goodput }) => mbit(goodput)).join(" + ");
  let held = true;
  for (const d of DIRECTIONS) {
    const planned = crowd.reduce((sum, { circuit }) => sum + circuit.max[d], 0);
    const part = totals[d] / site.max[d];
    held &&= part >= WANTED.least && part <= 1.1;
    console.log(
      `${d.padEnd(8)} ${list(d)} = ${mbit(totals[d])} Mbit/s: ${Math.round(100 * part)} % of the site's ${mbit(site.max[d])} ` +
        `(plans add up to ${mbit(planned)})`,
    );
  }

  heading(`The plan of circuit ${CHANGED.id} changes from ${CHANGED.before} to ${CHANGED.after} while it downloads`);
  const subscriber = subscribers.find(({ circuit }) => circuit.id === CHANGED.id)!;
  const running = measureAll(lab, [subscriber], "download", 6);
  writeFileSync(
    files.devices,
    readFileSync(files.devices, "utf8").replace(`,${CHANGED.before},`, `,${CHANGED.after},`),
  );
  await new Promise((resolve) => setTimeout(resolve, 2500));
  sluice(["plan", ...place], { expect: 2, quiet: true });
  sluice(["apply", ...place], { quiet: true });
  const [during] = (await running) as [Measured];
  console.log(`Mbit/s in each second of the download: ${during.perSecond.map((rate) => mbit(rate)).join("  ")}`);
  const doubled = during.perSecond.at(-1)! > 1.6 * during.perSecond[1]!;

  sluice(["shaper", "circuit", "get", CHANGED.id, ...place], { quiet: true });

  heading("What the user's program saw on the way to the subscribers, before the classifier");
  console.log(counter.counts());
  counter.remove();
  sluice(["cleanup", ...place]);
  sluice(["doctor"]);
  return reached && held && doubled;
}

// Everything below this folder is memory of this mount namespace, and gone with it.
check("mount tmpfs", mount("sluice-demo", "/mnt", "tmpfs", 0, null));
mkdirSync(folder);
cpSync(join(import.meta.dirname, "../examples/isp"), folder, { recursive: true });
process.env["SLUICE_ROOT"] = join(folder, "root");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const shaped = await run();
const relayed = await relayScene(heading);
const ok = shaped && relayed;
console.log(
  `\n${ok ? "Done" : "Done, with deviations"} in ${Math.round((performance.now() - started) / 1000)} s. Nothing is left behind.`,
);
process.exitCode = ok ? 0 : 1;
