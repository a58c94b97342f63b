/** The configuration and its files, garbled: either they are taken, or every fault is told with a place and a remedy. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type NamedFile, fromKept, readConfiguration } from "../src/control/files.ts";
import { SETTINGS_KEYS } from "../src/control/settings.ts";
import { SluiceError } from "../src/core/errors.ts";
import { garble, pick, seeded } from "./helpers/mutate.ts";

const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const TIMES = 3000;
const ISP = join(import.meta.dirname, "../examples/isp");

const tables = Object.entries(SETTINGS_KEYS).map(
  ([table, keys]) =>
    `[${table}]\n${Object.entries(keys)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join("")}`,
);
const LINK = `[autorate]
download_delay_ms = 20
[autorate.links.wan]
controller = "ewma"
download_target = "cake ifb4lte"
upload_interface = "lte"
download_base = "50mbit"
upload_base = 10000
plugins = ["/etc/sluice/plugins/rate_cap.lua"]
[autorate.links.wan.options]
compat = "lua"
[autorate.links.wan.plugin.rate_cap]
download = 40000
`;
const RELAY = `[relay]
ttl = 3
pinning = { eth0 = [0, 1] }
[[relay.rules]]
name = "video"
interface = "eth0"
group = "239.1.1.1"
port = "any"
source = "10.0.0.7"
max_rate = "20mbit"
outputs = [{ interface = "eth1", port = 6000, dscp = 34, source = "preserve" }]
[[relay.rules]]
interface = "eth1"
group = "ff3e::1"
port = 5000
vlan = 7
[[relay.rules.outputs]]
interface = "eth0"
group = "2001:db8::1"
`;
const text = (name: string): string => readFileSync(join(ISP, name), "utf8");
const GOOD: readonly NamedFile[] = [
  {
    role: "sluice.toml",
    path: "/etc/sluice/sluice.toml",
    text: `${text("sluice.toml")}\n${LINK}${RELAY}${tables.join("\n")}`,
  },
  { role: "network", path: "/etc/sluice/network.json", text: text("network.json") },
  { role: "devices", path: "/etc/sluice/ShapedDevices.csv", text: text("ShapedDevices.csv") },
];

test(`${TIMES} garbled configurations`, (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const taken = { yes: 0, no: 0 };
  for (let i = 0; i < TIMES; i += 1) {
    const wrong = pick(random, GOOD).role;
    const files = GOOD.map((file) => (file.role === wrong ? { ...file, text: garble(random, file.text) } : file));
    try {
      readConfiguration(GOOD[0]!.path, fromKept(files));
      taken.yes += 1;
    } catch (error) {
      assert.ok(
        error instanceof SluiceError,
        `${String(error)}\n${JSON.stringify(files.find((f) => f.role === wrong)!.text)}`,
      );
      for (const { code, message, remedy } of error.problems) {
        assert.notEqual(code, "INTERNAL");
        assert.ok(message.length > 5 && remedy.length > 5);
      }
      taken.no += 1;
    }
  }
  t.diagnostic(`${taken.yes} taken, ${taken.no} refused`);
  assert.ok(taken.no > TIMES / 20 && taken.yes > TIMES / 20);
});
