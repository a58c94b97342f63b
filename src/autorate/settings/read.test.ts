import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDocument } from "../../core/config-table.ts";
import { ALL_LINK_KEYS } from "./keys.ts";
import { CONTROLLER_OPTIONS } from "./options.ts";
import { readAutorate } from "./read.ts";

const FILE = "/etc/sluice/sluice.toml";

function read(toml: string) {
  const document = parseDocument(toml, FILE);
  assert.ok(!("problem" in document), "the text is TOML");
  const { config, problems } = readAutorate(document);
  const told = problems.map(({ where, severity, message }) => `${where?.line} ${severity}: ${message}`);
  return { config, told };
}

/** What the options of a controller are when nothing is said. */
const defaultsOf = (controller: string) =>
  Object.fromEntries(Object.entries(CONTROLLER_OPTIONS[controller]!).map(([key, row]) => [key, row.default]));

/** A text whose only link has these lines. */
const link = (...lines: readonly string[]): string => ["[autorate.links.wan]", ...lines].join("\n");
const BOTH = [
  'download_interface = "ifb4wan"',
  'upload_interface = "wan"',
  'download_base = "50mbit"',
  "upload_base = 10000",
];

const BEHIND = 'reflector_side = "subscribers"';

/** The one link of a text without any problem. */
function only(...lines: readonly string[]) {
  const { config, told } = read(link(...lines));
  assert.deepEqual(told, []);
  assert.equal(config?.links.length, 1);
  return config.links[0]!;
}

/** Asserts that each of the lines is told of, and nothing else. */
function tells(toml: string, ...expected: readonly RegExp[]): void {
  const { config, told } = read(toml);
  assert.equal(told.length, expected.length, told.join("\n"));
  for (const pattern of expected)
    assert.ok(
      told.some((line) => pattern.test(line)),
      `${pattern} is not told:\n${told.join("\n")}`,
    );
  assert.equal(
    config === undefined,
    told.some((line) => line.includes(" error: ")),
  );
}

describe("a link", () => {
  it("needs two interfaces and two rates; the rest has defaults", () => {
    assert.deepEqual(only(...BOTH), {
      name: "wan",
      controller: "sluice",
      options: defaultsOf("sluice"),
      plugins: [],
      pluginSettings: {},
      luaOnError: "min",
      directions: {
        download: {
          target: { kind: "auto", device: "ifb4wan" },
          bounds: { min: 10_000, base: 50_000, max: Infinity },
          threshold: 15,
          adjust: true,
        },
        upload: {
          target: { kind: "auto", device: "wan" },
          bounds: { min: 2000, base: 10_000, max: Infinity },
          threshold: 15,
          adjust: true,
        },
      },
      probe: { modes: ["timestamp", "timestamp-rtt", "echo"], interval: 0.3, reflectors: 6, reselect: 900 },
      highLoad: 0.8,
      activeRate: 1000,
      onSilence: "hold",
      idleSleep: 60,
      restore: true,
    });
  });

  it("takes every key that there is", () => {
    const skipped = /^(site|download_target|upload_target|download_min_percent|upload_min_percent)$/;
    const lines = ALL_LINK_KEYS.filter(({ name }) => !skipped.test(name)).map(({ name, example }) =>
      name === "controller" ? 'controller = "ewma"' : `${name} = ${example}`,
    );
    const read = only(...lines);
    assert.equal(read.directions.upload?.bounds.max, 80_000);
    assert.equal(read.probe.fwmark, 0x300);
    assert.equal(read.activeRate, 2000);
    const targets = only('download_target = "htb eth1 1:2a"', "download_base = 1000000", "download_min_percent = 33");
    assert.deepEqual(targets.directions.download?.target, { kind: "htb", device: "eth1", classid: 0x1_002a });
    assert.equal(targets.directions.download?.bounds.min, 330_000);
    assert.equal("upload" in targets.directions, false);
    const site = only('site = "Tower 1"', BEHIND, 'download_base = "50mbit"', 'upload_base = "10mbit"');
    assert.deepEqual(site.directions.upload?.target, { kind: "site", name: "Tower 1" });
    assert.equal(site.probe.side, "subscribers");
  });

  it("has the defaults of its controller", () => {
    const cake = only('controller = "cake"', ...BOTH);
    assert.equal(cake.directions.download?.threshold, 30);
    assert.equal(cake.highLoad, 0.75);
    assert.equal(cake.options["shaper_rate_max_adjust_up_load_high"], 1.04);
    assert.equal(only('controller = "ewma"', ...BOTH).options["speed_hist_size"], 100);
  });

  it("has paths relative to the file's folder", () => {
    const read = only(...BOTH, 'controller = "./mine.lua"', 'plugins = ["p/a.lua", "/b.lua"]', 'stats_file = "s.csv"');
    assert.equal(read.controller, "/etc/sluice/mine.lua");
    assert.deepEqual(read.plugins, ["/etc/sluice/p/a.lua", "/b.lua"]);
    assert.equal(read.statsFile, "/etc/sluice/s.csv");
    assert.deepEqual(read.options, {});
  });

  it("calls traffic some only where a slow line can carry as much", () => {
    const slow = ['upload_interface = "wan"', 'upload_base = "1mbit"', 'upload_min = "500kbit"'];
    assert.equal(only(...slow).activeRate, 100);
    tells(link(...slow, 'active_rate = "600kbit"'), /^5 error: .*active_rate.*above the lowest minimum/);
    const shared = `[autorate]\nactive_rate = "2mbit"\n${link(...slow)}`;
    assert.equal(read(shared).config?.links[0]?.activeRate, 100, "what is meant for all gives way");
  });
});

describe("[autorate]", () => {
  it("is what links have in common, and gives way to what a link says itself", () => {
    const { config, told } = read(
      [
        "[autorate]",
        'controller = "ewma"',
        "download_delay_ms = 25",
        "download_min_percent = 50",
        'plugins = ["/p/rate_cap.lua"]',
        "[autorate.options]",
        "speed_hist_size = 50",
        "[autorate.plugin.rate_cap]",
        "max = 5",
        "hour = 3",
        "[autorate.links.a]",
        'source_interface = "a"',
        'download_interface = "a"',
        'download_base = "50mbit"',
        'download_min = "1mbit"',
        "[autorate.links.a.plugin.rate_cap]",
        "max = 7",
        "[autorate.links.b]",
        'controller = "sluice"',
        'download_interface = "b"',
        'download_base = "50mbit"',
        "download_delay_ms = 5",
      ].join("\n"),
    );
    assert.deepEqual(told, []);
    const [a, b] = config!.links;
    assert.equal(a?.controller, "ewma");
    assert.equal(a.options["speed_hist_size"], 50);
    assert.deepEqual(a.pluginSettings, { rate_cap: { max: 7, hour: 3 } });
    assert.deepEqual(a.directions.download?.bounds, { min: 1000, base: 50_000, max: Infinity });
    assert.equal(a.directions.download.threshold, 25);
    assert.equal(b?.directions.download?.threshold, 5);
    assert.equal(b.directions.download.bounds.min, 25_000);
    assert.deepEqual(b.options, defaultsOf("sluice"), "options are those of one controller");
    assert.deepEqual(b.plugins, ["/p/rate_cap.lua"]);
  });

  it("tells what is wrong in it once, however many links there are", () => {
    const two = [...BOTH, 'source_interface = "wan"'].join("\n");
    tells(
      `[autorate]\nprobe_interval_s = 0\nwan = 1\n[autorate.links.a]\n${two}\n[autorate.links.b]\n${two.replaceAll("wan", "lte")}`,
      /^2 error: .*autorate\.probe_interval_s: it is 0/,
      /^3 error: .*autorate\.wan/,
    );
  });

  it("may be absent, and may have no links yet", () => {
    assert.deepEqual(read(""), { config: undefined, told: [] });
    assert.deepEqual(read("[autorate]\n"), { config: { links: [] }, told: [] });
    tells("autorate = 3\n", /^1 error: .*no table/);
    tells("[autorate]\nlinks = 3\n", /^2 error: .*autorate\.links: it is 3, wanted a table/);
    tells("[autorate.links]\nwan = 3\n", /^2 error: .*autorate\.links\.wan: it is 3, wanted a table/);
  });
});

describe("what cannot be", () => {
  it("is told all at once, each with its line", () => {
    tells(
      link(
        ...BOTH,
        'contoller = "ewma"',
        'high_load_level = "0.8"',
        'on_silence = "fall"',
        'probe_modes = ["ntp"]',
        'source_address = "wan"',
        "fwmark = -1",
        'restore_on_exit = "yes"',
        "plugins = []",
        "reflectors = 2.5",
        'reflector_file = ""',
      ),
      /^6 error: .*contoller.*did you mean "controller"/,
      /^7 error: .*high_load_level: it is "0.8", wanted a number from 0 to 2/,
      /^8 error: .*on_silence: it is "fall", wanted one of "hold", "base", "min"/,
      /^9 error: .*probe_modes: entry 1: it is "ntp"/,
      /^10 error: .*source_address.*IPv4 or IPv6/,
      /^11 error: .*fwmark/,
      /^12 error: .*restore_on_exit.*without quotes/,
      /^13 error: .*plugins: it is empty/,
      /^14 error: .*reflectors.*whole number from 1 to 255/,
      /^15 error: .*reflector_file/,
    );
  });

  it("a controller that nobody knows", () => {
    tells(link(...BOTH, 'controller = "emwa"'), /^6 error: .*"emwa".*"sluice", "ewma", "cake".*did you mean "ewma"/);
  });

  it("a link without anything to set, or without a rate", () => {
    tells(link(), /^1 error: .*has no autorate\.links\.wan\.download_interface/);
    tells(link('upload_interface = "wan"'), /^1 error: .*has no autorate\.links\.wan\.upload_base/);
  });

  it("keys of a direction that is not there", () => {
    tells(
      link('upload_interface = "wan"', 'upload_base = "10mbit"', "download_base = 50", "adjust_download = true"),
      /^4 error: .*download_base: there is no download_interface/,
      /^5 error: .*adjust_download: there is no download_interface/,
    );
  });

  it("two ways to say the same", () => {
    tells(link(...BOTH, 'download_target = "cake x"'), /^6 error: .*download_interface is there too/);
    tells(
      link(...BOTH, 'download_min = "20mbit"', "download_min_percent = 5"),
      /^7 error: .*download_min is there too/,
    );
    tells(
      link(`site = "A"\n${BEHIND}`, ...BOTH),
      /^4 error: .*download_interface: site is there too/,
      /^5 error: .*upload_interface: site is there too/,
    );
  });

  it("rates out of order", () => {
    tells(
      link(...BOTH, 'download_min = "60mbit"', 'upload_max = "5mbit"'),
      /^6 error: .*download_min: it is 60 Mbit\/s, above download_base with 50 Mbit\/s/,
      /^7 error: .*upload_max: it is 5 Mbit\/s, below upload_base with 10 Mbit\/s/,
    );
    tells(link('upload_interface = "wan"', "upload_base = 4"), /^3 error: .*less than 1 kbit/);
    tells(
      link('upload_interface = "wan"', 'upload_base = "10"'),
      /^3 error: .*without unit; write "10kbit" or the number/,
    );
    tells(link('upload_interface = "wan"', 'upload_base = "10mbps"'), /^3 error: .*bytes per second/);
  });

  it("one shaper for both directions, or for two links", () => {
    const twice = [
      'download_target = "cake wan"',
      'upload_interface = "wan"',
      "download_base = 50000",
      "upload_base = 50000",
    ];
    tells(link(...twice), /^3 error: .*upload_interface: it is set by download too \(cake wan\)/);
    const classes = twice.map((line) =>
      line.replace("cake wan", "htb wan 1:1").replace('interface = "wan"', 'target = "htb wan 1:2"'),
    );
    assert.deepEqual(read(link(...classes)).told, []);
    const other = ["[autorate.links.b]", "fwmark = 1", 'upload_interface = "wan"', "upload_base = 50000"];
    tells(
      [link(...BOTH), ...other].join("\n"),
      /^6 error: .*autorate\.links\.b: it sets wan, which autorate\.links\.wan sets too/,
    );
  });

  it("a file that two would write", () => {
    const two = ['controller = "ewma"', 'stats_file = "/tmp/a.csv"', 'speed_history_file = "/tmp/a.csv"'];
    tells(
      link(...BOTH, ...two),
      /^8 error: .*speed_history_file: autorate\.links\.wan\.stats_file writes "\/tmp\/a\.csv" too/,
    );
  });

  it("a name that metrics and command lines could not carry", () => {
    tells('[autorate.links."a b"]\n', /^1 error: .*1 to 32 letters/);
    tells('[autorate.links."a.b"]\n', /^1 error: .*1 to 32 letters/);
  });

  it("options of another controller, or out of bounds", () => {
    tells(
      link(
        ...BOTH,
        'controller = "cake"',
        "[autorate.links.wan.options]",
        "headroom = 1",
        "bufferbloat_detection_thr = 0",
      ),
      /^8 error: .*options\.headroom/,
      /^9 error: .*bufferbloat_detection_thr: it is 0/,
    );
    tells(
      link(...BOTH, 'controller = "cake"', "[autorate.links.wan.options]", "bufferbloat_detection_thr = 7"),
      /^8 error: .*more than bufferbloat_detection_window with 6/,
    );
    tells(
      link(...BOTH, 'controller = "/x.lua"', "options = { any = 1, list = [1] }"),
      /^7 error: .*options\.list: it is an array/,
    );
  });
});

describe("what is hardly meant", () => {
  it("minimums that are high or low, and base rates in the wrong unit", () => {
    tells(link(...BOTH, "upload_min_percent = 61"), /^6 warning: .*upload_min_percent is 61 % of the base rate/);
    tells(link('upload_interface = "wan"', "upload_base = 2000"), /^1 warning: .*only 400 kbit\/s/);
    tells(link('upload_interface = "wan"', "upload_base = 50"), /^3 warning: .*upload_base is only 50 kbit\/s/);
  });

  it("levels that nothing, or everything reaches, and few reflectors", () => {
    tells(link(...BOTH, "high_load_level = 1.5"), /^6 warning: .*high_load_level/);
    tells(link(...BOTH, "high_load_level = 0"), /^6 warning: .*any traffic/);
    tells(link(...BOTH, 'controller = "ewma"', "reflectors = 4"), /^7 warning: .*reflectors/);
    tells(link(...BOTH, 'speed_history_file = "/x"'), /^6 warning: .*only ewma/);
  });

  it("cuts of cake by answers that are old", () => {
    tells(
      link(
        ...BOTH,
        'controller = "cake"',
        "probe_interval_s = 0.5",
        "[autorate.links.wan.options]",
        "bufferbloat_refractory_period_ms = 300",
      ),
      /^9 warning: .*6 new answers take 500 ms/,
    );
  });

  it("settings of a plugin that is not there", () => {
    const plugins = [...BOTH, 'plugins = ["/p/delay-histogram.lua"]'];
    assert.deepEqual(read(link(...plugins, "[autorate.links.wan.plugin.delay_histogram]", "a = 1")).told, []);
    tells(
      link(...plugins, "[autorate.links.wan.plugin.delay_histgram]", "a = 1"),
      /^7 warning: .*did you mean "delay_histogram"/,
    );
  });

  it("a site of which nobody says where its reflectors are", () => {
    const site = ['site = "Tower 1"', 'download_base = "50mbit"', 'upload_base = "10mbit"'];
    tells(link(...site), /^2 warning: .*wan\.site stands for a line to subscribers, .* on the Internet's side/);
    for (const side of ["internet", "subscribers"]) {
      assert.equal(only(...site, `reflector_side = "${side}"`).probe.side, side);
      tells(`[autorate]\nreflector_side = "${side}"\n${link(...site)}`);
    }
    tells(link(...BOTH, 'reflector_side = "wan"'), /^6 error: .*it is "wan", wanted one of "internet", "subscribers"/);
  });

  it("two links that are measured over one line", () => {
    const other = ["[autorate.links.b]", 'upload_interface = "lte"', "upload_base = 50000"];
    tells(
      [link(...BOTH), ...other].join("\n"),
      /^6 warning: The links wan, b are measured over one and the same route/,
    );
    assert.deepEqual(read([link(...BOTH), ...other, "fwmark = 3"].join("\n")).told, []);
  });
});

it("every option takes its default", () => {
  for (const [controller, table] of Object.entries(CONTROLLER_OPTIONS)) {
    const lines = Object.entries(table).map(([key, row]) => `${key} = ${JSON.stringify(row.default)}`);
    const { options } = only(...BOTH, `controller = "${controller}"`, "[autorate.links.wan.options]", ...lines);
    assert.deepEqual(options, defaultsOf(controller));
  }
});
