/**
 * `sluice migrate libreqos` on example installations, each with the `sluice.toml` and the report it has to give, to the
 * letter. `UPDATE_FIXTURES=1` writes these anew; read what changed before you keep it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import migrateLibreqos, { type MigrateFlags } from "../src/cli/commands/migrate/libreqos.ts";
import type { CliContext } from "../src/cli/context.ts";
import { systemClock } from "../src/core/clock.ts";
import { SluiceError } from "../src/core/errors.ts";
import { parseConfig } from "../src/shaper/config.ts";
import { parseLqosConf } from "../src/shaper/libreqos/lqos-conf.ts";
import { FINDINGS } from "../src/shaper/libreqos/migrate/finding.ts";
import { migrate, type Migration } from "../src/shaper/libreqos/migrate/migrate.ts";
import { reportLines } from "../src/shaper/libreqos/migrate/report.ts";
import { deviceList, node, type RowSketch } from "./helpers/libreqos.ts";

const ROOT = resolve(import.meta.dirname, "fixtures/migrate");
const read = (name: string, file: string): string => readFileSync(join(ROOT, name, file), "utf8");

/** Migrates an example; its files are said to lie where its lqos.conf says. */
function example(
  name: string,
  network = read(name, "network.json"),
  devices = read(name, "ShapedDevices.csv"),
): Migration {
  const { conf, problems } = parseLqosConf(read(name, "lqos.conf"), "/etc/lqos.conf");
  assert.ok(conf, problems[0]?.message);
  const file = (text: string, base: string) => ({ text, file: join(conf.directory, base) });
  const files = { network: file(network, "network.json"), devices: file(devices, "ShapedDevices.csv") };
  return migrate({ conf, from: "/etc/lqos.conf", files });
}

describe("an example installation", () => {
  for (const name of readdirSync(ROOT).toSorted()) {
    it(name, () => {
      const migration = example(name);
      const actual = { "expected.toml": migration.toml, "expected.txt": `${reportLines(migration).join("\n")}\n` };
      for (const [file, text] of Object.entries(actual)) {
        if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(join(ROOT, name, file), text);
        assert.equal(text, read(name, file));
      }
      const { config, problems } = parseConfig(migration.toml, "/etc/sluice/sluice.toml");
      assert.deepEqual(problems, []);
      assert.equal(config!.network, "/opt/libreqos/src/network.json");
    });
  }

  it("hits everything that can be found", () => {
    const found = new Set(example("everything").findings.map(({ id }) => id));
    // When LibreQoS refuses the files, there is no tree to compare with: stick has that.
    assert.deepEqual(
      FINDINGS.filter((id) => !found.has(id)),
      ["refused-by-libreqos"],
    );
    assert.ok(example("stick").findings.some(({ id }) => id === "refused-by-libreqos"));
    assert.deepEqual(example("everything").ready, false);
  });

  it("that fits is ready, and says what stays", () => {
    const { ready, findings } = example("plain");
    assert.equal(ready, true);
    assert.match(findings[0]!.title, /3 of 3 circuits and 3 of 3 nodes keep their maximum to the bit\/s$/);
    assert.deepEqual(
      findings.filter(({ id }) => /-maximum|-rtt|-fast|orphans|refused/.test(id)),
      [],
    );
  });

  it("of many folds what is about many", () => {
    const rows = Array.from({ length: 300 }, (_, i): RowSketch => ({
      id: `C${i}`,
      parent: "A",
      rates: [1, 1, 12.25, 5],
      ipv4: `10.0.${i >> 8}.${i & 255}`,
    }));
    const migration = example("plain", JSON.stringify({ A: node(900, 900) }), deviceList(rows));
    const finding = migration.findings.find(({ id }) => id === "circuit-maximum")!;
    assert.equal(finding.items.length, 300);
    const lines = reportLines(migration);
    assert.ok(lines.includes("    ... and 295 more (--json has all)"));
    assert.ok(lines.length < 60, `${lines.length} lines`);
  });
});

describe("sluice migrate libreqos", () => {
  /** Runs the command in a folder of its own with an example's files. */
  async function run(name: string, flags: (folder: string) => Partial<MigrateFlags>) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-migrate-"));
    const written = { out: "", err: "" };
    const context: CliContext = {
      process: {
        stdout: { write: (text) => void (written.out += text) },
        stderr: { write: (text) => void (written.err += text) },
      },
      signal: new AbortController().signal,
      clock: systemClock,
    };
    for (const file of ["network.json", "ShapedDevices.csv"]) writeFileSync(join(folder, file), read(name, file));
    writeFileSync(join(folder, "lqos.conf"), read(name, "lqos.conf").replace("/opt/libreqos/src", folder));
    try {
      await migrateLibreqos.call(context, { json: false, conf: join(folder, "lqos.conf"), ...flags(folder) });
      const files = readdirSync(folder).filter((file) => file.endsWith(".toml"));
      return { ...written, files: files.map((file) => readFileSync(join(folder, file), "utf8")) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it("answers with the configuration, and reports beside it", async () => {
    const { out, err, files } = await run("plain", () => ({}));
    assert.match(out, /^# Made from /);
    assert.match(err, /Ready: sluice takes the files as they are/);
    assert.deepEqual(files, []);
  });

  it("writes a file where none is, and never over one", async () => {
    const { out, files } = await run("plain", (folder) => ({ output: join(folder, "sluice.toml") }));
    assert.match(files[0]!, /^# Made from /);
    assert.match(out, /Written to /);
    await assert.rejects(
      run("plain", (folder) => ({ output: join(folder, "network.json") })),
      (error) => error instanceof SluiceError && error.code === "USAGE" && error.message.includes("not overwritten"),
    );
  });

  it("has all of it as JSON", async () => {
    const { out } = await run("everything", (folder) => ({ json: true, from: folder }));
    const answer = JSON.parse(out) as {
      schema: string;
      ready: boolean;
      toml: string;
      findings: { id: string; items: object[] }[];
    };
    assert.equal(answer.schema, "sluice/migrate-libreqos/1");
    assert.equal(answer.ready, false);
    assert.ok(answer.findings.find(({ id }) => id === "circuit-maximum")!.items.length > 0);
  });
});
