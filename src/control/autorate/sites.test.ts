/** `[autorate]` beside `[shaper]`, in whole configurations. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SluiceError } from "../../core/errors.ts";
import { fromKept, type NamedFile, readConfiguration } from "../files.ts";

const ISP = join(import.meta.dirname, "../../../examples/isp");
const text = (name: string): string => readFileSync(join(ISP, name), "utf8");
const SHAPER = text("sluice.toml");
const [, LAN] = /^lan = "(.*)"/m.exec(SHAPER)!;

/** Reads a configuration, or what is wrong with it. */
function read(toml: string) {
  const files: readonly NamedFile[] = [
    { role: "sluice.toml", path: "/etc/sluice/sluice.toml", text: toml },
    { role: "network", path: "/etc/sluice/network.json", text: text("network.json") },
    { role: "devices", path: "/etc/sluice/ShapedDevices.csv", text: text("ShapedDevices.csv") },
  ];
  return readConfiguration("/etc/sluice/sluice.toml", fromKept(files));
}
const refusal = (toml: string): string => {
  try {
    read(toml);
  } catch (error) {
    if (error instanceof SluiceError) return error.message;
    throw error;
  }
  throw new assert.AssertionError({ message: `it was taken:\n${toml}` });
};

const site = (name: string): string =>
  `\n[autorate.links.tower]\nsite = "${name}"\ndownload_base = "50mbit"\nupload_base = "10mbit"\n`;
const wan = (device: string): string =>
  `\n[autorate.links.wan]\nupload_interface = "${device}"\nupload_base = "10mbit"\n`;
const NODE = Object.keys(JSON.parse(text("network.json")) as object)[0]!;

test("a site is a node of the tree, at any depth", () => {
  const { autorate, inputs } = read(SHAPER + site(NODE));
  assert.ok(inputs);
  assert.deepEqual(autorate?.links[0]?.directions.download?.target, { kind: "site", name: NODE });
  const tree = JSON.parse(text("network.json")) as Record<string, { children?: object }>;
  const [child] = Object.keys(tree[NODE]!.children ?? {});
  assert.ok(child !== undefined && read(SHAPER + site(child)).autorate);
});

test("what is no node is refused with its line and the likely name", () => {
  const line = SHAPER.split("\n").length + 2;
  const told = refusal(SHAPER + site(`${NODE}s`));
  assert.match(told, new RegExp(`sluice\\.toml:${line}:1: error: .*tower\\.site: "${NODE}s" is no node of /etc`));
  assert.match(told, new RegExp(`did you mean "${NODE}"`));
});

test("without a shaper there are no sites, and links stand alone", () => {
  assert.match(refusal(site(NODE)), /tower\.site: it is a node of the shaper's tree, and there is no \[shaper\]/);
  const { autorate, inputs } = read(wan("wan0"));
  assert.equal(inputs, undefined);
  assert.equal(autorate?.links.length, 1);
  assert.equal(read(SHAPER).autorate, undefined);
});

test("what the shaper sets is not set by a link too", () => {
  assert.match(refusal(SHAPER + wan(LAN!)), new RegExp(`wan\\.upload_interface: \\[shaper\\] shapes "${LAN}" already`));
  assert.ok(read(SHAPER + wan("lte9")).autorate);
});

test("problems of links are told with those of all other tables", () => {
  const told = refusal(
    `${SHAPER}\n[daemon]\ndrift = 3\n[autorate.links.a]\nupload_interface = "x"\nupload_base = "fast"\n`,
  );
  assert.match(told, /daemon\.drift/);
  assert.match(told, /autorate\.links\.a\.upload_base: it is "fast"/);
});
