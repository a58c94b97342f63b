import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "../../../core/config-table.ts";
import { variablesOf } from "./environment.ts";
import { rustIssueText, rustSettings, type RustSources } from "./rust.ts";
import { parseUci } from "./uci.ts";

function toml(text: string): NonNullable<RustSources["toml"]> {
  const document = parseDocument(text, "/etc/sqm-autorate-rust/config.toml");
  assert.ok(!("problem" in document));
  return document;
}
const env = (values: Readonly<Record<string, string>>) => ({ environment: { variables: variablesOf(values) } });
const NETWORK = [
  "[network]",
  'download_interface = "ifb4wan"',
  'upload_interface = "wan"',
  "download_base_kbits = 50000",
  "upload_base_kbits = 10000",
].join("\n");

test("the environment goes before TOML, and that before UCI", () => {
  const uci = parseUci(
    "config advanced_settings\n option high_load_level 0.5\n option num_reflectors 7\n option dry_run on\n",
  );
  const { settings, errors, given } = rustSettings({
    uci: { file: "/etc/config/sqm-autorate-rust", content: uci },
    toml: toml(
      `${NETWORK}\n[advanced_settings]\nhigh_load_level = 0.6\nnum_reflectors = 8\nmeasurement_type = "ICMP_Timestamps"\n`,
    ),
    ...env({ SQMA__ADVANCED_SETTINGS__HIGH_LOAD_LEVEL: "0.7" }),
  });
  assert.deepEqual(errors, []);
  assert.equal(settings?.["advanced_settings.high_load_level"], 0.7);
  assert.equal(settings["advanced_settings.num_reflectors"], 8);
  assert.equal(settings["advanced_settings.dry_run"], true);
  assert.equal(settings["advanced_settings.measurement_type"], "icmp-timestamps");
  assert.equal(settings["output.stats_file"], "/tmp/sqm-autorate-rust.csv");
  assert.equal(given.get("advanced_settings.num_reflectors")?.where?.line, 8);
});

test("names of early versions count, after those of now", () => {
  const flat = {
    SQMA_UPLOAD_INTERFACE: "wan",
    SQMA_DOWNLOAD_INTERFACE: "ifb",
    SQMA_UPLOAD_BASE_KBITS: "1000",
    SQMA_DOWNLOAD_BASE_KBITS: "9000",
    SQMA_DOWNLOAD_MIN_KBITS: "3000",
  };
  const { settings } = rustSettings(env({ ...flat, SQMA__NETWORK__UPLOAD_BASE_KBITS: "5000" }));
  assert.equal(settings?.["network.upload_base_kbits"], 5000);
  assert.equal(settings["network.download_min_kbits"], 3000);
});

test("every error is told at once, as section.field and what is wrong", () => {
  const { settings, errors } = rustSettings({
    toml: toml(
      [
        "[network]",
        'download_interface = " "',
        "download_base_kbits = -1",
        'upload_base_kbits = "fast"',
        "download_min_percent = 0.5",
        "[output]",
        'log_level = "loud"',
        'stats_file = "/tmp/a"',
        'speed_hist_file = "/tmp/a"',
        "[advanced_settings]",
        "num_reflectors = 4",
        "high_load_level = nan",
        'dry_run = "perhaps"',
        "peer_reselection_time = 0",
        'reflector_list_file = ""',
        "[observability]",
        "enabled = true",
        "port = 0",
      ].join("\n"),
    ),
  });
  assert.equal(settings, undefined);
  const told = errors.map((issue) => rustIssueText(issue)).toSorted();
  assert.deepEqual(told, [
    'advanced_settings.dry_run: it is "perhaps", wanted true or false',
    "advanced_settings.high_load_level: it is NaN, wanted a finite number",
    "advanced_settings.num_reflectors: it is 4, wanted a whole number from 5 to 255",
    "advanced_settings.peer_reselection_time: it is 0, wanted a whole number from 1 to 9007199254740991",
    "advanced_settings.reflector_list_file: it is blank",
    "network.download_base_kbits: it is -1, wanted more than 0",
    "network.download_interface: it is blank",
    "network.download_min_percent: it is 0.5, wanted 1 to 100",
    'network.upload_base_kbits: it is "fast", wanted a number',
    "network.upload_interface: it is set nowhere, and is needed",
    "observability.host: it is needed when metrics are sent",
    "observability.port: it is 0, wanted more",
    'output.log_level: it is "loud", wanted one of error, warn, info, debug, trace',
    "output.stats_file: it is the file of output.speed_hist_file too",
  ]);
});

test("what is worth a warning is one", () => {
  const { warnings, errors } = rustSettings({
    toml: toml(
      `${NETWORK}\ndownload_min_percent = 81\nupload_min_percent = 1\n[advanced_settings]\nhigh_load_level = 1.5\n`,
    ),
  });
  assert.deepEqual(errors, []);
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ["network.download_min_percent", "network.upload_min_percent", "advanced_settings.high_load_level"],
  );
  const zero = rustSettings({ toml: toml(NETWORK.replace("10000", "50").replace("50000", "99")) });
  assert.deepEqual(zero.errors, []);
  const none = rustSettings({ toml: toml(NETWORK.replace("upload_base_kbits = 10000", "upload_base_kbits = 4")) });
  assert.deepEqual(
    none.errors.map(({ field }) => field),
    ["network.upload_min_percent"],
  );
});
