/** The command as a user meets it: answers on stdout, everything else on stderr, exit codes, JSON with a schema. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const BAD = join(ROOT, "test/fixtures/bad");
const EXAMPLE = join(ROOT, "examples/isp/sluice.toml");

function sluice(args: readonly string[], cwd = ROOT) {
  return spawnSync(process.execPath, [join(ROOT, "src/cli/main.ts"), ...args], { cwd, encoding: "utf8" });
}

describe("bad input", () => {
  for (const name of readdirSync(BAD)) {
    test(`${name} ends with its exit code and just the documented errors, on stderr`, () => {
      const expected = readFileSync(join(BAD, name, "expected.txt"), "utf8");
      const { status, stdout, stderr } = sluice(["check", "--config", "sluice.toml"], join(BAD, name));
      assert.equal(status, name.includes("-config-") ? 78 : 65);
      assert.equal(stderr.replaceAll(`${join(BAD, name)}/`, "").trimEnd(), expected.trimEnd());
      assert.equal(stdout, "");
    });
  }
});

test("with --json errors are the answer, all of them, with code, place and remedy", () => {
  const folder = join(BAD, "53-devices-rate-texts");
  const { status, stdout, stderr } = sluice(["check", "--json", "--config", "sluice.toml"], folder);
  const answer = JSON.parse(stdout) as { schema: string; problems: { code: string; remedy: string; where: object }[] };
  assert.equal(status, 65);
  assert.equal(stderr, "");
  assert.equal(answer.schema, "sluice/error/1");
  for (const problem of answer.problems) assert.ok(problem.code && problem.remedy && problem.where);
});

test("check of good files says what it found and exits with 0", () => {
  const { status, stdout } = sluice(["check", "--config", EXAMPLE]);
  assert.equal(status, 0);
  assert.match(stdout, /^ok: 14 circuits with 15 devices and 23 addresses on 6 nodes/);
  const json = JSON.parse(sluice(["check", "--json", "-c", EXAMPLE]).stdout) as Record<string, unknown>;
  assert.deepEqual([json["schema"], json["circuits"]], ["sluice/check/1", 14]);
});

test("check opens what links name: lists of reflectors, scripts of controllers and plugins", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const link = (more: string): string =>
    `[autorate.links.dsl]\nupload_interface = "wan"\nupload_base = "5Mbit"\n${more}\n`;
  const checked = (more: string) => {
    writeFileSync(join(folder, "sluice.toml"), link(more));
    return sluice(["check", "--config", "sluice.toml"], folder);
  };
  try {
    writeFileSync(join(folder, "broken.lua"), "return {\n  calculate = function(\n");
    const broken = checked(
      'reflector_file = "list.csv"\ncontroller = "./broken.lua"\nplugins = ["./broken.lua", "./none.lua"]',
    );
    assert.equal(broken.status, 65, broken.stderr);
    for (const part of [
      '/list.csv": there is no',
      "broken.lua:3: error: ",
      "broken.lua:3: warning: ",
      '/none.lua": there is no',
    ])
      assert.ok(broken.stderr.includes(part), `${part} in ${broken.stderr}`);
    const [controller, plugin] = ["controllers/ewma.lua", "plugins/log_readings.lua"].map((path) =>
      join(ROOT, "lua", path),
    );
    const good = checked(`controller = "${controller}"\nplugins = ["${plugin}"]`);
    assert.equal(good.stderr, "");
    assert.match(good.stdout, /^ok: 1 link that follows its line; 0 warnings/);
    const lacking = checked('plugins = ["./none.lua"]');
    assert.equal(lacking.status, 0, "a link does without a plugin");
    assert.match(lacking.stdout, /; 1 warnings/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("wrong usage exits with 64 and names what was meant", () => {
  const unknown = sluice(["chekc"]);
  assert.equal(unknown.status, 64);
  assert.match(unknown.stderr, /chekc.*check/s);
  assert.equal(sluice(["check", "--no-such-flag"]).status, 64);
  assert.equal(sluice(["shaper", "circuit", "get"]).status, 64);
  const file = sluice(["apply", "--executor", "file", "--config", EXAMPLE]);
  assert.equal(file.status, 64);
  assert.match(file.stderr, /--executor file needs --output FILE/);
  const output = sluice(["apply", "--output", "batch", "--config", EXAMPLE]);
  assert.equal(output.status, 64);
  assert.match(output.stderr, /--output FILE needs --executor file/);
});

test("a missing configuration, interface or namespace is named with its remedy", () => {
  const config = sluice(["check", "--config", "/nonexistent/sluice.toml"]);
  assert.equal(config.status, 78);
  assert.match(config.stderr, /remedy: .*--config/);
  const interfaces = sluice(["plan", "--config", EXAMPLE]);
  assert.equal(interfaces.status, 69);
  assert.match(interfaces.stderr, /Interface "lan0" does not exist .*\n.*\n.*Interface "wan0"/);
  const netns = sluice(["plan", "--config", EXAMPLE, "--netns", "no-such-place"]);
  assert.equal(netns.status, 69);
  assert.match(netns.stderr, /There is no network namespace "no-such-place"/);
  for (const file of ["/etc/passwd", "/etc/passwd/x"]) {
    const { status, stderr } = sluice(["plan", "--config", EXAMPLE, "--netns", file]);
    assert.equal(status, 69, stderr);
    assert.match(stderr, /There is no network namespace/);
  }
});

test("check finds what would not fit into 16 bits, before any kernel is asked", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  try {
    const rows = Array.from({ length: 28_000 }, (_, i) => `c${i},10.${i >> 16}.${(i >> 8) & 255}.${i & 255},1,1`);
    writeFileSync(join(folder, "devices.csv"), `Circuit ID,IPv4,Download Max,Upload Max\n${rows.join("\n")}\n`);
    writeFileSync(join(folder, "network.json"), "{}");
    const files = 'network = "network.json"\ndevices = "devices.csv"\n';
    const link = 'interface = "eth0"\nlan_vlan = 2\ninternet_vlan = 3\ndownload = "10gbit"\nupload = "10gbit"\n';
    writeFileSync(join(folder, "sluice.toml"), `[shaper]\n${files}${link}`);
    const { status, stderr } = sluice(["check", "--config", join(folder, "sluice.toml")]);
    assert.equal(status, 65);
    assert.match(stderr, /\d+ circuits are left without a qdisc handle.*\[SHAPER_QDISC_LIMIT\]/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("help names every command, on stdout", () => {
  const { status, stdout } = sluice(["--help"]);
  assert.equal(status, 0);
  for (const command of ["check", "plan", "apply", "cleanup", "shaper"])
    assert.match(stdout, new RegExp(`^  ${command} `, "m"));
});
