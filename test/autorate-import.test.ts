/** `sluice autorate import` as a process. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { readConfiguration } from "../src/control/files.ts";
import { EXIT } from "../src/core/exit.ts";
import { ROOT } from "./helpers/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-import-"));
after(() => rmSync(folder, { recursive: true }));

function put(name: string, ...lines: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** Runs it. @param environment besides the one that every process needs */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(join(ROOT, "bin/sluice"), ["autorate", "import", ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], SLUICE_ROOT: join(folder, "root"), ...environment },
  });
  return { status, stdout, stderr };
}

const UCI = [
  "config network",
  "\toption upload_interface 'wan'",
  "\toption download_interface 'ifb4wan'",
  "\toption upload_base_kbits '10000'",
  "\toption download_base_kbits '50000'",
];
const VARIABLES = {
  SQMA__NETWORK__UPLOAD_INTERFACE: "wan",
  SQMA__NETWORK__DOWNLOAD_INTERFACE: "ifb4wan",
  SQMA__NETWORK__UPLOAD_BASE_KBITS: "10000",
  SQMA__NETWORK__DOWNLOAD_BASE_KBITS: "50000",
};

/** The links of what was printed, as the daemon would take it. */
const linksOf = (text: string) => {
  const path = put("printed.toml", text);
  return readConfiguration(path).autorate!.links;
};

describe("sluice autorate import", () => {
  it("prints what can be put into sluice.toml, and nothing else on stdout", () => {
    const { status, stdout, stderr } = run(["--uci", put("sqm-autorate", ...UCI)]);
    assert.deepEqual([status, stderr], [EXIT.ok, ""]);
    const [link] = linksOf(stdout);
    assert.equal(link?.name, "wan");
    assert.deepEqual(link.options, {
      speed_hist_size: 100,
      compat: "lua",
      whole_ring: true,
      cut_at_low_load: "confirm",
      idle_decay: false,
    });
  });

  it("prints what sluice check takes, without any shaper", () => {
    const path = put("checked.toml", run(["--uci", put("sqm-autorate", ...UCI)]).stdout);
    const args = ["check", "--direct", "--config", path];
    const { status, stdout } = spawnSync(join(ROOT, "bin/sluice"), args, { encoding: "utf8" });
    assert.deepEqual([status, stdout], [EXIT.ok, "ok: 1 link that follows its line; 0 warnings\n"]);
  });

  it("finds the usual files, and says where it looked when there are none", () => {
    const none = run([]);
    assert.equal(none.status, EXIT.usage);
    assert.match(none.stderr, /none of .*etc\/config\/sqm-autorate, .*config\.toml is there/);
    put("root/etc/config/sqm-autorate-rust", ...UCI);
    assert.match(run([]).stdout, /^compat = "rust"/m);
    assert.match(run(["--program", "rust"]).stdout, /^compat = "rust"/m);
    assert.equal(run(["--program", "lua"]).status, EXIT.usage);
    put("root/etc/config/sqm-autorate", ...UCI);
    assert.match(run([]).stdout, /^compat = "lua"/m);
    rmSync(join(folder, "root"), { recursive: true });
  });

  it("takes the environment of its caller, a file of variables, and that of a running program", () => {
    assert.match(run(["--env", "-"], VARIABLES).stdout, /Made from the environment by .*what sqm-autorate-rust did/);
    const lines = Object.entries(VARIABLES).map(([name, value]) => `${name}=${value}`);
    assert.match(run(["--env", put("a.env", ...lines)]).stdout, /^upload_base = "10mbit" {2}# SQMA__.*a\.env:3$/m);
    const environ = join(folder, "environ");
    writeFileSync(environ, `${lines.join("\0")}\0`);
    assert.match(run(["--env", environ]).stdout, /^upload_base = "10mbit"/m);
  });

  it("takes a command line, which goes before the environment and after UCI", () => {
    const flags = "--args=--ul lte --dl ifb9 --ub 9000 --db 90000 --ud 11";
    assert.match(run([flags], { SQMA_UPLOAD_DELAY_MS: "99" }).stdout, /^upload_delay_ms = 11 {2}# --ud$/m);
    const both = run([flags, "--uci", put("sqm-autorate", ...UCI)]).stdout;
    assert.match(both, /^upload_interface = "wan"/m);
    assert.match(both, /^upload_delay_ms = 11/m);
  });

  it("makes links of the configurations of cake-autorate", () => {
    const [one, two] = ["primary", "backup"].map((name) =>
      put(`config.${name}.sh`, `ul_if=${name}`, `dl_if=ifb-${name}`),
    );
    const { status, stdout, stderr } = run(["--env", `${one},${two}`]);
    assert.equal(status, EXIT.ok, stderr);
    assert.match(stderr, /measured over one and the same route/);
    assert.deepEqual(
      linksOf(stdout).map(({ name }) => name),
      ["primary", "backup"],
    );
  });

  it("writes a file where none is, and never over one", () => {
    const path = join(folder, "new.toml");
    const args = ["--uci", put("sqm-autorate", ...UCI), "-o", path];
    assert.match(run(args).stdout, /^Written to .*; 1 settings? (?:is|are) not carried over\.$/m);
    const before = readFileSync(path, "utf8");
    assert.equal(linksOf(before).length, 1);
    const { status, stderr } = run(args);
    assert.equal(status, EXIT.usage);
    assert.match(stderr, /is there already and is not overwritten/);
    assert.equal(readFileSync(path, "utf8"), before);
  });

  it("tells everything that is wrong at once, and writes nothing", () => {
    const path = join(folder, "never.toml");
    const uci = put("sqm-autorate", ...UCI, "\toption upload_min_percent 'x'", "\toption open 'y", "");
    const { status, stdout, stderr } = run(["--uci", uci, "-o", path]);
    assert.deepEqual([status, stdout], [EXIT.data, ""]);
    assert.match(stderr, /sqm-autorate:6:2: error: Cannot take over network\.upload_min_percent: it is "x"/);
    assert.match(stderr, /sqm-autorate:7:14: error: Cannot read this as a file of UCI: a quote that begins here/);
    assert.equal(existsSync(path), false);
    const missing = run(["--uci", join(folder, "missing"), "--env", join(folder, "gone")]);
    assert.equal(missing.status, EXIT.data);
    assert.match(missing.stderr, /missing": there is no such file[^]*gone": there is no such file/);
    const broken = run(["--toml", put("config.toml", "[network", "a = 1")]);
    assert.equal(broken.status, EXIT.data);
    assert.match(broken.stderr, /config\.toml:1:\d+: error: Cannot read this as TOML/);
  });

  it("has all of it as JSON, errors too", () => {
    const { stdout } = run([
      "--json",
      "--uci",
      put("sqm-autorate", ...UCI, "config output", "\toption log_level WARN"),
    ]);
    const answer = JSON.parse(stdout) as {
      schema: string;
      program: string;
      toml: string;
      left: { setting: string; link: string }[];
    };
    assert.deepEqual([answer.schema, answer.program], ["sluice/autorate-import/1", "lua"]);
    assert.equal(linksOf(answer.toml).length, 1);
    assert.ok(answer.left.some(({ setting, link }) => setting === "output.log_level" && link === "wan"));
    const failed = run(["--json", "--program", "lua", "--env", "-"]);
    assert.equal(failed.status, EXIT.data);
    const { problems } = JSON.parse(failed.stdout) as { problems: { code: string }[] };
    assert.equal(problems.length, 4);
    assert.ok(problems.every(({ code }) => code === "AUTORATE_IMPORT_VALUE"));
  });

  it("says which flags do not go together", () => {
    const uci = put("sqm-autorate", ...UCI);
    for (const args of [
      ["--program", "lua", "--toml", uci],
      ["--program", "cake", "--uci", uci],
      ["--program", "cake", "--env", "-"],
      ["--program", "rust", "--args", "x", "--uci", uci],
      ["--env", `${uci},${uci}`],
    ]) {
      const { status, stdout, stderr } = run(args);
      assert.deepEqual([status, stdout], [EXIT.usage, ""], `${args.join(" ")}: ${stderr}`);
    }
  });
});
