/** What an import prints is read by sluice, and means what the other program made of its settings. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolve } from "node:path";
import fc from "fast-check";
import { parseDocument } from "../../../core/config-table.ts";
import type { LinkConfig } from "../../config.ts";
import { readAutorate } from "../read.ts";
import { parseEnvironment, variablesOf } from "../upstream/environment.ts";
import { parseLuaFlags } from "../upstream/flags.ts";
import { luaSettings, type LuaSources } from "../upstream/lua.ts";
import { rustSettings, type RustSources } from "../upstream/rust.ts";
import { cakeSettings } from "../upstream/cake.ts";
import { parseShell } from "../upstream/shell.ts";
import { parseUci } from "../upstream/uci.ts";
import { importSettings, type ImportSources } from "./import.ts";

/** Imports, and reads what was printed. */
function taken(sources: ImportSources) {
  const { toml, left, problems } = importSettings(sources, ["here"]);
  assert.ok(toml !== undefined, problems.map(({ message }) => message).join("\n"));
  const document = parseDocument(toml, "sluice.toml");
  assert.ok(!("problem" in document), toml);
  const { config, problems: told } = readAutorate(document);
  assert.deepEqual(
    told.filter(({ severity }) => severity === "error"),
    [],
  );
  return { toml, left, warnings: told, links: config!.links };
}

const refused = (sources: ImportSources): string[] => {
  const { toml, problems } = importSettings(sources, ["here"]);
  assert.equal(toml, undefined);
  return problems.map(({ where, message }) => `${where?.line ?? "-"} ${message}`);
};

function document(text: string): NonNullable<RustSources["toml"]> {
  const parsed = parseDocument(text, "/etc/config.toml");
  assert.ok(!("problem" in parsed));
  return parsed;
}

/** Asserts that a link does what sqm-autorate would have done. */
function sameAsLua({ directions, ...link }: LinkConfig, sources: LuaSources): void {
  const settings = luaSettings(sources).settings!;
  const { download, upload } = directions;
  assert.deepEqual(download!.target, { kind: "auto", device: settings.dl_if });
  assert.deepEqual(upload!.target, { kind: "auto", device: settings.ul_if });
  assert.deepEqual(download!.bounds, { min: settings.min_dl_rate, base: settings.base_dl_rate, max: Infinity });
  assert.deepEqual(upload!.bounds, { min: settings.min_ul_rate, base: settings.base_ul_rate, max: Infinity });
  assert.deepEqual([download!.threshold, upload!.threshold], [settings.dl_max_delta_owd, settings.ul_max_delta_owd]);
  assert.equal(link.controller, "ewma");
  assert.equal(link.options["compat"], "lua");
  assert.equal(link.options["speed_hist_size"], settings.histsize);
  assert.equal(link.highLoad, settings.high_load_level);
  assert.equal(link.probe.interval, settings.tick_duration);
  assert.equal(link.probe.reflectors, settings.num_reflectors);
  assert.equal(link.probe.reselect, settings.peer_reselection_time * 60);
  assert.deepEqual([link.onSilence, link.idleSleep, link.restore], ["min", 0, false]);
  const file = (path: string) => (settings.output_statistics ? resolve("/", path) : undefined);
  assert.equal(link.statsFile, file(settings.stats_file));
  assert.equal(link.speedHistoryFile, file(settings.speedhist_file));
}

const INTERFACE = fc.stringMatching(/^[a-z][a-z0-9.-]{0,10}$/);
/** A number as somebody might write it. */
const written = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min, max }).map(String),
    fc.double({ min, max, noNaN: true }).map((value) => String(Number(value.toFixed(3)))),
  );
const KBITS = written(1000, 10_000_000);

describe("sqm-autorate", () => {
  const GOOD = {
    SQMA_UPLOAD_INTERFACE: "wan",
    SQMA_DOWNLOAD_INTERFACE: "ifb4wan",
    SQMA_UPLOAD_BASE_KBITS: "10000",
    SQMA_DOWNLOAD_BASE_KBITS: "50000",
  };

  it("means the same whatever it is set to", () => {
    const record = fc.record(
      {
        SQMA_UPLOAD_BASE_KBITS: KBITS,
        SQMA_DOWNLOAD_BASE_KBITS: KBITS,
        SQMA_UPLOAD_MIN_PERCENT: written(-10, 120),
        SQMA_DOWNLOAD_MIN_PERCENT: written(-10, 120),
        SQMA_UPLOAD_DELAY_MS: written(1, 500),
        SQMA_DOWNLOAD_DELAY_MS: written(1, 500),
        SQMA_HIGH_LEVEL_LOAD: written(0, 2),
        SQMA_SPEED_HIST_SIZE: written(1, 1000),
        SQMA_STATS_FILE: fc.stringMatching(/^\/?tmp\/[ -~]{0,20}x$/),
        SQMA_SUPPRESS_STATISTICS: fc.constantFrom("1", "yes", "on", "no", "Y"),
      },
      { requiredKeys: ["SQMA_UPLOAD_BASE_KBITS", "SQMA_DOWNLOAD_BASE_KBITS"] },
    );
    fc.assert(
      fc.property(record, INTERFACE, (values, name) => {
        const variables = variablesOf({
          ...values,
          SQMA_UPLOAD_INTERFACE: name,
          SQMA_DOWNLOAD_INTERFACE: `ifb${name}`,
        });
        const sources: LuaSources = { environment: { variables } };
        sameAsLua(taken({ program: "lua", sources }).links[0]!, sources);
      }),
    );
  });

  it("is taken over with its plugin, and says what is left and why", () => {
    const uci = [
      "config network",
      "\toption upload_interface 'wan'",
      "\toption download_interface 'ifb4wan'",
      "\toption upload_base_kbits '10000'",
      "\toption download_base_kbits '50000'",
      "\toption download_delay_ms '3'",
      "\toption uplaod_min_percent '30'",
      "config network",
      "\toption upload_interface 'lte'",
      "config plugins",
      "\toption ratecontrol 'delay-histogram'",
      "config advanced_settings",
      "\toption rate_controller 'mine'",
      "config delay_histogram",
      "\toption number_of_histograms '4'",
      "\tlist names 'a'",
      "config log_readings",
      "\toption rx_load_gt '0.9'",
    ].join("\n");
    const { toml, left, links } = taken({
      program: "lua",
      sources: {
        uci: { file: "/etc/config/sqm-autorate", content: parseUci(uci) },
        environment: { file: "/env", ...parseEnvironment("SQMA_HIGH_LOAD_LEVEL=0.7\nSQMA_LOG_LEVEL=WARN\n") },
      },
    });
    assert.deepEqual(links[0]?.plugins, ["/usr/lib/sluice/lua/plugins/delay_histogram.lua"]);
    assert.deepEqual(links[0]?.pluginSettings, { delay_histogram: { number_of_histograms: "4" } });
    const reasons = Object.fromEntries(
      left.map(({ setting, why, where }) => [`${where?.line ?? "-"} ${setting}`, why]),
    );
    const expected: Readonly<Record<string, RegExp>> = {
      "6 network.download_delay_ms": /reads it in the section advanced_settings, and not here/,
      "7 network.uplaod_min_percent": /did you mean "upload_min_percent"/,
      "9 network.upload_interface": /of several sections .* the first/,
      "13 advanced_settings.rate_controller": /no script for sluice; ewma is in its place/,
      "16 delay_histogram.names": /single values/,
      "18 log_readings.rx_load_gt": /no plugin that is loaded is called so/,
      "1 SQMA_HIGH_LOAD_LEVEL": /did you mean|does not read it/,
      "2 SQMA_LOG_LEVEL": /\[log\]/,
      "- its list of reflectors": /reflector_file/,
    };
    assert.deepEqual(Object.keys(reasons).toSorted(), Object.keys(expected).toSorted());
    for (const [setting, pattern] of Object.entries(expected)) assert.match(reasons[setting]!, pattern);
    for (const { setting } of left) assert.ok(toml.includes(`\n# - ${setting} = `), setting);
    assert.match(toml, /^upload_base = "10mbit" {2}# network\.upload_base_kbits, \/etc\/config\/sqm-autorate:4$/m);
    assert.match(toml, /^upload_delay_ms = 15 {2}# the default of sqm-autorate$/m);
    assert.match(toml, /^controller = "ewma" {2}# .*sluice's own decide, the default/m);
  });

  it("tells everything that is wrong, and prints nothing", () => {
    const uci = parseUci(
      "config network\n option upload_interface wan\n option upload_base_kbits x\n option upload_min_percent y\n",
    );
    const told = refused({
      program: "lua",
      sources: { uci: { file: "/u", content: uci }, flags: parseLuaFlags(["--nothing"]) },
    });
    assert.equal(told.length, 5, told.join("\n"));
    assert.match(told.join("\n"), /3 Cannot take over network\.upload_base_kbits: it is "x", which is no number/);
    assert.match(told.join("\n"), /- Cannot take over network\.download_interface: it is set nowhere/);
    assert.match(told.join("\n"), /"--nothing" is no flag/);
  });

  it("what sluice would refuse is told at the place where it was set", () => {
    const environment = (more: string) => {
      const lines = Object.entries(GOOD).map(([name, value]) => `${name}=${value}`);
      return { file: "/env", ...parseEnvironment([...lines, more].join("\n")) };
    };
    const wrong = (more: string) => refused({ program: "lua", sources: { environment: environment(more) } });
    assert.match(wrong("SQMA_UPLOAD_DELAY_MS=0")[0]!, /^5 .*upload_delay_ms: it is 0, wanted a number from 0\.1/);
    assert.match(wrong("SQMA_DOWNLOAD_INTERFACE=wan")[0]!, /^1 .*upload_interface: it is set by download too/);
    assert.match(wrong("SQMA_SPEED_HIST_SIZE=0.5")[0]!, /^5 .*options\.speed_hist_size: it is 0/);
  });

  it("no text in its settings leaves its comment or its quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (name, path) => {
        const sources = {
          environment: { variables: variablesOf({ ...GOOD, [`SQMA_${name}`]: path, SQMA_LOG_LEVEL: "INFO" }) },
        };
        const stats = { environment: { variables: variablesOf({ ...GOOD, SQMA_STATS_FILE: path }) } };
        const { toml } = taken({ program: "lua", sources });
        assert.equal(toml.split("\n").filter((line) => line.startsWith("[")).length, 2, toml);
        const { toml: other } = importSettings({ program: "lua", sources: stats }, ["here"]);
        if (other !== undefined) assert.ok(!("problem" in parseDocument(other, "x")), other);
      }),
    );
  });
});

describe("sqm-autorate-rust", () => {
  it("means the same whatever it is set to", () => {
    const prefix = "SQMA__ADVANCED_SETTINGS__";
    const record = fc.record(
      {
        SQMA__NETWORK__UPLOAD_BASE_KBITS: KBITS,
        SQMA__NETWORK__DOWNLOAD_BASE_KBITS: KBITS,
        SQMA__NETWORK__UPLOAD_MIN_PERCENT: written(1, 100),
        [`${prefix}DOWNLOAD_DELAY_MS`]: written(1, 1000),
        [`${prefix}HIGH_LOAD_LEVEL`]: written(0, 2),
        [`${prefix}TICK_INTERVAL`]: written(1, 10),
        [`${prefix}NUM_REFLECTORS`]: fc.integer({ min: 5, max: 255 }).map(String),
        [`${prefix}PEER_RESELECTION_TIME`]: fc.integer({ min: 1, max: 600 }).map(String),
        [`${prefix}MEASUREMENT_TYPE`]: fc.constantFrom("icmp", "ICMP-timestamps", "icmp_timestamps"),
        [`${prefix}DRY_RUN`]: fc.constantFrom("true", "off", "Enabled"),
        [`${prefix}REFLECTOR_LIST_FILE`]: fc.constantFrom("/a.csv", "/b c.csv"),
      },
      { requiredKeys: ["SQMA__NETWORK__UPLOAD_BASE_KBITS", "SQMA__NETWORK__DOWNLOAD_BASE_KBITS"] },
    );
    fc.assert(
      fc.property(record, (values) => {
        const names = { SQMA__NETWORK__UPLOAD_INTERFACE: "wan", SQMA__NETWORK__DOWNLOAD_INTERFACE: "ifb4wan" };
        const sources: RustSources = { environment: { variables: variablesOf({ ...values, ...names }) } };
        const settings = rustSettings(sources).settings!;
        const { directions, ...link } = taken({ program: "rust", sources }).links[0]!;
        for (const d of ["download", "upload"] as const) {
          const base = settings[`network.${d}_base_kbits`];
          const min = Math.floor((base * settings[`network.${d}_min_percent`]) / 100);
          assert.deepEqual(directions[d]!.bounds, { min, base, max: Infinity });
          assert.equal(directions[d]!.threshold, settings[`advanced_settings.${d}_delay_ms`]);
          assert.equal(directions[d]!.adjust, !settings["advanced_settings.dry_run"]);
        }
        assert.deepEqual(
          [link.options["compat"], link.highLoad],
          ["rust", settings["advanced_settings.high_load_level"]],
        );
        assert.equal(link.probe.interval, settings["advanced_settings.tick_interval"]);
        assert.equal(link.probe.reflectors, settings["advanced_settings.num_reflectors"]);
        assert.equal(link.probe.reselect, settings["advanced_settings.peer_reselection_time"] * 60);
        const icmp = settings["advanced_settings.measurement_type"] === "icmp";
        assert.deepEqual(link.probe.modes, [icmp ? "echo" : "timestamp"]);
        const file = values[`${prefix}REFLECTOR_LIST_FILE`];
        assert.equal(link.probe.reflectorFile, file);
        assert.equal(link.restore, true);
      }),
    );
  });

  const NETWORK = [
    "[network]",
    'download_interface = "ifb4wan"',
    'upload_interface = "wan"',
    "download_base_kbits = 50000",
    "upload_base_kbits = 10000.25",
  ].join("\n");

  it("is taken over from TOML, with what it does not read told", () => {
    const { left, links, toml } = taken({
      program: "rust",
      sources: {
        toml: document(
          `${NETWORK}\nmeasurement_mark = 256\n[output]\nsupress_statistics = true\n[observability]\nenabled = true\nhost = "h"\n[extra]\nx = [1]\n`,
        ),
      },
    });
    assert.equal(links[0]?.directions.upload?.bounds.base, 10_000.25);
    assert.equal(links[0].probe.fwmark, 256);
    assert.match(toml, /^upload_base = "10000250bit"/m);
    assert.deepEqual(left.map(({ setting, where }) => `${where?.line ?? "-"} ${setting}`).toSorted(), [
      "- advanced_settings.reflector_list_file",
      "10 observability.enabled",
      "11 observability.host",
      "13 extra.x",
      "8 output.supress_statistics",
    ]);
  });

  it("of its branch with Lua keeps the script and what it was given", () => {
    const branch = `${NETWORK}\n[ping_source]\ntype = "icmp"\nnum_reflectors = 9\n[algorithm]\ntype = "lua"\n[algorithm.lua]\nscript = "/etc/a.lua"\ngain = 0.5\nlist = [1]\n`;
    const { links, left } = taken({ program: "rust", sources: { toml: document(branch) } });
    assert.equal(links[0]?.controller, "/etc/a.lua");
    assert.deepEqual(links[0].options, { gain: 0.5 });
    assert.deepEqual([links[0].probe.modes, links[0].probe.reflectors], [["echo"], 9]);
    assert.ok(left.some(({ setting }) => setting === "algorithm.lua.list"));
    const other = taken({
      program: "rust",
      sources: { toml: document(`${NETWORK}\n[algorithm]\ntype = "tievolu"\n`) },
    });
    assert.equal(other.links[0]?.controller, "ewma");
    assert.ok(other.left.some(({ setting }) => setting === "algorithm.type"));
  });
});

describe("cake-autorate", () => {
  const scripts = (...texts: readonly string[]): ImportSources => ({
    program: "cake",
    scripts: texts.map((text, at) => ({ file: `/root/config.line${at}.sh`, script: parseShell(text) })),
  });

  it("means the same whatever it is set to", () => {
    const record = fc.record(
      {
        min_dl_shaper_rate_kbps: fc.integer({ min: 2000, max: 9000 }),
        base_dl_shaper_rate_kbps: fc.integer({ min: 9000, max: 50_000 }),
        max_ul_shaper_rate_kbps: fc.integer({ min: 20_000, max: 90_000 }),
        adjust_ul_shaper_rate: fc.constantFrom(0, 1),
        no_pingers: fc.integer({ min: 1, max: 20 }),
        reflector_ping_interval_s: fc.constantFrom(0.2, 1),
        reflector_replacement_interval_mins: fc.integer({ min: 1, max: 600 }),
        dl_owd_delta_delay_thr_ms: fc.integer({ min: 1, max: 90 }),
        high_load_thr: fc.constantFrom(0.5, 0.9),
        enable_sleep_function: fc.constantFrom(0, 1),
        min_shaper_rates_enforcement: fc.constantFrom(0, 1),
        connection_active_thr_kbps: fc.integer({ min: 1, max: 2000 }),
        bufferbloat_detection_window: fc.integer({ min: 3, max: 20 }),
        shaper_rate_max_adjust_down_bufferbloat: fc.constantFrom(0.5, 0.8),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(record, (values) => {
        const text = Object.entries(values)
          .map(([name, value]) => `${name}=${value} # why\n`)
          .join("");
        const settings = cakeSettings(parseShell(text)).settings!;
        const { directions, ...link } = taken(scripts(text)).links[0]!;
        for (const [d, short] of [
          ["download", "dl"],
          ["upload", "ul"],
        ] as const) {
          const [min, base, max] = ["min", "base", "max"].map((bound) =>
            settings.number(`${bound}_${short}_shaper_rate_kbps`),
          );
          assert.deepEqual(directions[d]!.bounds, { min, base, max });
          assert.equal(directions[d]!.adjust, settings.on(`adjust_${short}_shaper_rate`));
          assert.equal(directions[d]!.threshold, settings.number(`${short}_owd_delta_delay_thr_ms`));
        }
        assert.equal(link.highLoad, settings.number("high_load_thr"));
        assert.equal(link.activeRate, settings.number("connection_active_thr_kbps"));
        assert.equal(link.idleSleep, settings.on("enable_sleep_function") ? 60 : 0);
        assert.equal(link.onSilence, settings.on("min_shaper_rates_enforcement") ? "min" : "hold");
        assert.equal(link.probe.reflectors, settings.number("no_pingers"));
        assert.equal(link.probe.interval, settings.number("reflector_ping_interval_s"));
        assert.equal(link.probe.reselect, settings.number("reflector_replacement_interval_mins") * 60);
        for (const [name, value] of Object.entries(link.options)) assert.equal(value, settings.number(name), name);
      }),
    );
  });

  it("of several files makes links, and of one direction one", () => {
    const { links } = taken(
      scripts(
        'upload_only=1\nul_if=wan\nping_extra_args="-I 192.0.2.1 -m 0x10"\n',
        "dl_if=ifb1\nul_if=lte\npinger_method=tsping\nping_extra_args=-v",
      ),
    );
    assert.deepEqual(
      links.map(({ name }) => name),
      ["line0", "line1"],
    );
    assert.equal("download" in links[0]!.directions, false);
    assert.deepEqual([links[0]!.probe.sourceAddress, links[0]!.probe.fwmark], ["192.0.2.1", 16]);
    assert.deepEqual(links[1]!.probe.modes, ["timestamp"]);
    const same: ImportSources = {
      program: "cake",
      scripts: ["/a/config.x.sh", "/b/config.x.sh"].map((file) => ({ file, script: parseShell("") })),
    };
    assert.match(refused(same)[0]!, /two links would have this name/);
  });

  it("is refused whole when a shell would have to be asked", () => {
    const told = refused(scripts("dl_if=$(uci get a)\nno_pingers=x\nif true; then\nul_if=b\nfi\n"));
    assert.deepEqual(told, [
      "1 Cannot read this as a plain assignment: its value is made by the shell",
      "3 Cannot read this as a plain assignment: it is no assignment of a plain value",
      "5 Cannot read this as a plain assignment: it is no assignment of a plain value",
      '2 Cannot take over no_pingers: it is "x", wanted a whole number',
    ]);
  });
});
