/** `sluice shaper export`: the command's flags, outputs and refusals, without a kernel. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import exportShaper, { type ExportFlags } from "../src/cli/commands/shaper/export.ts";
import type { CliContext } from "../src/cli/context.ts";
import { systemClock } from "../src/core/clock.ts";
import { SluiceError } from "../src/core/errors.ts";
import { batchText } from "../src/shaper/libreqos/lines.ts";
import { structureText } from "../src/shaper/libreqos/structure.ts";
import { builtLibreqos, deviceList, node, type RowSketch } from "./helpers/libreqos.ts";

const NETWORK = { N: node(50, 50) };
const ROWS: readonly RowSketch[] = [{ id: "x", parent: "N", rates: [1, 1, 25.5, 5], ipv4: "10.0.0.1" }];
const CONF = `version = "1.5"
lqos_directory = "DIRECTORY"
[bridge]
to_network = "eth1"
to_internet = "eth0"
[queues]
default_sqm = "cake diffserv4"
uplink_bandwidth_mbps = 1000
downlink_bandwidth_mbps = 400
generated_pn_download_mbps = 1000
generated_pn_upload_mbps = 1000
`;
const TOML = `[shaper]
network = "network.json"
devices = "ShapedDevices.csv"
lan = "eth1"
internet = "eth0"
download = "1gbit"
upload = "1gbit"
leaf = "cake diffserv4"
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-export-"));
  writeFileSync(join(folder, "lqos.conf"), CONF.replace("DIRECTORY", folder));
  writeFileSync(join(folder, "sluice.toml"), TOML);
  writeFileSync(join(folder, "network.json"), JSON.stringify(NETWORK));
  writeFileSync(join(folder, "ShapedDevices.csv"), deviceList(ROWS));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the command; what it wrote, and its exit code. */
async function run(flags: Partial<ExportFlags>) {
  const written = { out: "", err: "" };
  const context: CliContext = {
    process: {
      stdout: { write: (text) => void (written.out += text) },
      stderr: { write: (text) => void (written.err += text) },
    },
    signal: new AbortController().signal,
    clock: systemClock,
  };
  const all = { json: false, dialect: "libreqos", strict: false, direct: true, ...flags } as const;
  await exportShaper.call(context, all);
  return { ...written, exitCode: context.process.exitCode };
}

const conf = (): string => join(folder, "lqos.conf");
const refuses = (flags: Partial<ExportFlags>, code: string, message: RegExp) =>
  assert.rejects(
    run(flags),
    (error) => error instanceof SluiceError && error.code === code && message.test(error.message),
  );

describe("sluice shaper export", () => {
  it("writes the lines to stdout when nothing else is asked for", async () => {
    const { out, err } = await run({ conf: conf(), queues: 3 });
    assert.equal(out, batchText(builtLibreqos(NETWORK, ROWS, { queuesAvailable: 3 }).commands));
    assert.equal(err, "");
  });

  it("gives the same by sluice.toml", async () => {
    const { out } = await run({ config: join(folder, "sluice.toml"), queues: 3 });
    assert.equal(out, (await run({ conf: conf(), queues: 3 })).out);
  });

  it("writes each output where its flag says", async () => {
    const file = (name: string): string => join(folder, name);
    const flags = { tc: file("tc.txt"), queuingStructure: "", ipMappings: file("ip.jsonl") };
    const { out } = await run({ conf: conf(), queues: 3, ...flags });
    const built = builtLibreqos(NETWORK, ROWS, { queuesAvailable: 3 });
    assert.equal(out, structureText(built));
    assert.equal(readFileSync(flags.tc, "utf8"), batchText(built.commands));
    assert.match(readFileSync(flags.ipMappings, "utf8"), /^\{"ip": "10.0.0.1", "classid": "0x1:0x4", .*\}\n$/);
  });

  it("answers as JSON what it wrote", async () => {
    const tc = join(folder, "tc.txt");
    const answer = JSON.parse((await run({ conf: conf(), queues: 3, tc, json: true })).out) as Record<string, unknown>;
    assert.deepEqual(answer, { schema: "sluice/shaper-export/1", lines: 44, written: [tc], warnings: [] });
  });

  it("finds the data files in another folder, and Insight's where they are switched on", async () => {
    writeFileSync(join(folder, "network.insight.json"), "{}");
    writeFileSync(
      conf(),
      `${CONF.replace("DIRECTORY", "/nowhere")}[long_term_stats]\nenable_insight_topology = true\n`,
    );
    const { out, err } = await run({ conf: conf(), from: folder, queues: 2 });
    assert.equal(out, batchText(builtLibreqos({}, ROWS, { queuesAvailable: 2 }).commands));
    assert.match(err, /warning: 1 device names a parent node that is not in the network \("N"\)/);
  });

  it("takes the number of queues from the configuration, but no more than there are processors", async () => {
    writeFileSync(conf(), `${CONF.replace("DIRECTORY", folder)}override_available_queues = 500\n`);
    if (cpus().length < 2) return refuses({ conf: conf() }, "LIBREQOS_QUEUES", /500 queues and 1 processors/);
    const { out } = await run({ conf: conf() });
    assert.equal(out.split("\n").filter((line) => line.includes(" htb default 2")).length, 2 * cpus().length);
    return undefined;
  });

  it("refuses what LibreQoS refuses, quoting it", async () => {
    writeFileSync(join(folder, "ShapedDevices.csv"), deviceList([{ id: "x", ipv4: "10.0.0.300" }]));
    await refuses(
      { conf: conf(), queues: 3 },
      "LIBREQOS_REFUSED",
      /ShapedDevices.csv:2: error: "10.0.0.300" is no IPv4 host or network; LibreQoS refuses the file and says "Provided IPv4/,
    );
    const { out, exitCode } = await run({ conf: conf(), queues: 3, json: true, tc: join(folder, "x") });
    assert.equal((JSON.parse(out) as { schema: string }).schema, "sluice/error/1");
    assert.equal(exitCode, 65);
  });

  it("warns of what LibreQoS's Rust side would refuse, and refuses it with --strict", async () => {
    writeFileSync(join(folder, "ShapedDevices.csv"), deviceList([{ id: "x", rates: [1, 1, "1_000", 5] }]));
    const { err, out } = await run({ conf: conf(), queues: 3 });
    assert.ok(out.includes("ceil 1.0gbit"));
    assert.match(err, /warning: A rate is "1_000", which the Rust side of LibreQoS does not take/);
    await refuses({ conf: conf(), queues: 3, strict: true }, "LIBREQOS_REFUSED", /CsvEntryParseError/);
  });

  it("does not pass over a byte order mark, nor take another encoding than UTF-8", async () => {
    writeFileSync(join(folder, "network.json"), `\uFEFF${JSON.stringify(NETWORK)}`);
    await refuses({ conf: conf(), queues: 3 }, "LIBREQOS_REFUSED", /network.json is an invalid JSON file/);
    writeFileSync(join(folder, "network.json"), Buffer.from([0x7b, 0xff, 0x7d]));
    await refuses({ conf: conf(), queues: 3 }, "FILE_ENCODING", /UnicodeDecodeError/);
    await refuses({ conf: conf(), from: "/nowhere", queues: 3 }, "FILE_UNREADABLE", /no such file/);
  });

  it("refuses flags that do not go together", async () => {
    await refuses({ conf: conf(), config: "x" }, "USAGE", /only one of --conf and --config/);
    await refuses({ from: "x" }, "USAGE", /--from needs --conf/);
    await refuses({ conf: conf(), queues: 3, tc: "", ipMappings: "-" }, "USAGE", /can go to stdout/);
    await refuses({ conf: conf(), queues: 0 }, "USAGE", /--queues is 0/);
    writeFileSync(join(folder, "sluice.toml"), TOML.replace("cake diffserv4", "fifo"));
    await refuses({ config: join(folder, "sluice.toml"), queues: 3 }, "USAGE", /no leaf such as shaper.leaf = "fifo"/);
  });
});
