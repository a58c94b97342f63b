import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { COLUMNS, IGNORED_COLUMNS, STANDARD_HEADER } from "./columns.ts";
import { type DeviceList, parseDevices } from "./devices.ts";

const HEADER = `${STANDARD_HEADER.join(",")},sqm\n`;
const read = (text: string): DeviceList => parseDevices(text, "d.csv");
const said = ({ problems }: DeviceList): string[] =>
  problems.map(({ code, where }) => `${where!.line}:${where!.column} ${code}`);

describe("parseDevices", () => {
  test("reads a full row", () => {
    const row = "c1,Bakery,d1,Roof,AP_1,00-1A-2B-3C-4D-5E,100.64.0.1,2001:db8::/56,1,0.5,7.5,2.5,since May,cake/none\n";
    const { circuits, problems } = read(HEADER + row);
    assert.deepEqual(problems, []);
    const [circuit] = circuits;
    const [device] = circuit!.devices;
    const where = { file: "d.csv", line: 2, column: 1 };
    assert.deepEqual(
      { ...circuit, devices: [{ ...device, prefixes: device!.prefixes.map(({ key }) => key) }] },
      {
        id: "c1",
        name: "Bakery",
        parent: "AP_1",
        max: { download: 7_500_000, upload: 2_500_000 },
        min: { download: 1_000_000, upload: 500_000 },
        leaf: { download: "cake", upload: "none" },
        devices: [
          {
            id: "d1",
            name: "Roof",
            mac: "00:1a:2b:3c:4d:5e",
            comment: "since May",
            prefixes: ["100.64.0.1/32", "2001:db8::/56"],
            where,
          },
        ],
        where,
      },
    );
  });

  test("finds columns by name in any order and spelling; few are required", () => {
    const { circuits, problems } = read(
      "upload_max,UPLOAD MIN,IPv6,Circuit-ID,Note,Download Max (Mbps),id\n5,,2001:db8::1,c1,x,10,9\n",
    );
    assert.deepEqual(problems, []);
    const [{ id, name, parent, max, min, leaf, devices }] = circuits as [(typeof circuits)[0]];
    assert.deepEqual(
      { id, name, parent, max, min, leaf, device: devices[0]!.id },
      {
        id: "c1",
        name: "c1",
        parent: undefined,
        max: { download: 10_000_000, upload: 5_000_000 },
        min: { download: 0, upload: 0 },
        leaf: {},
        device: "c1",
      },
    );
  });

  test("rows of one id are one circuit, wherever they stand; empty cells say nothing", () => {
    const text =
      "c1,Bakery,d1,Roof,AP_1,,100.64.0.1,,1,1,2.5,1,,cake\n" +
      "c2,School,,Mast,none,,100.64.0.2,,,,10,5,,\n" +
      "c1,Other name,d2,Oven,AP_1,,100.64.0.3,,,1.0,2.50,1e0,,CAKE\n" +
      "c1,,,,,,100.64.0.4,,,,,,,\n";
    const { circuits, problems } = read(HEADER + text);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      circuits.map(({ id, name, parent, devices }) => [id, name, parent, devices.map((d) => `${d.id} ${d.name}`)]),
      [
        ["c1", "Bakery", "AP_1", ["d1 Roof", "d2 Oven", "c1/3 c1/3"]],
        ["c2", "School", undefined, ["c2 Mast"]],
      ],
    );
  });

  test("a row that disagrees with its circuit is an error in each field, at its cell", () => {
    const text =
      "c1,Bakery,d1,Roof,,,100.64.0.1,,,,10,5,,\nc1,Bakery,d2,Roof,AP_1,,100.64.0.2,,1,,20,5,,fifo\n" +
      "c2,Farm,d3,Barn,,,100.64.0.3,,,,fast,5,,red\nc2,Farm,d4,Barn,none,,100.64.0.4,,,,10,slow,,fifo\n";
    assert.deepEqual(said(read(HEADER + text)), [
      "3:19 DEVICES_DUPLICATE_CIRCUIT",
      "3:40 DEVICES_DUPLICATE_CIRCUIT",
      "3:37 DEVICES_DUPLICATE_CIRCUIT",
      "3:46 DEVICES_DUPLICATE_CIRCUIT",
      "4:33 DEVICES_RATE_INVALID",
      "4:41 DEVICES_LEAF_INVALID",
      "5:40 DEVICES_RATE_INVALID",
    ]);
  });

  test("a first row of data is an error, and is read all the same", () => {
    const list = read("c1,Bakery,d1,Roof,AP_1,,100.64.0.1,,1,1,20,x,\n");
    assert.deepEqual(said(list), ["1:1 DEVICES_NO_HEADER", "1:44 DEVICES_RATE_INVALID"]);
    assert.equal(list.circuits.length, 1);
    assert.deepEqual(said(read("c1,20,10\n")), ["1:1 DEVICES_NO_HEADER"]);
  });

  test("a header with broken quoting is one fault, not two", () => {
    assert.deepEqual(said(read(`"Circuit "ID,x\nc1,Bakery,d1,Roof,AP_1,,100.64.0.1,,1,1,20,10,\n`)), [
      "1:11 DEVICES_SYNTAX",
    ]);
  });

  test("finds cells in rows that hold line breaks", () => {
    const list = read(`${HEADER}c1,"Bakery\r\n& Co",d1,Roof,AP_1,,100.64.0.1,,1,1,20,10,,\n`);
    assert.deepEqual(list.problems, []);
    assert.deepEqual(list.locate(list.circuits[0]!.where, "parent"), { file: "d.csv", line: 3, column: 15 });
    assert.equal(list.circuits[0]!.name, "Bakery\r\n& Co");
  });

  test("tells circuits without addresses from those whose addresses were refused", () => {
    const row = (id: string, v4: string): string => `${id},,${id},,,,${v4},,,,10,5,,\n`;
    const list = read(
      HEADER + row("c1", "") + row("c2", "x") + row("c1", "") + row("c3", "") + row("c3", "100.64.0.1"),
    );
    assert.deepEqual(said(list), [
      "3:11 DEVICES_ADDRESS_INVALID",
      "4:5 DEVICES_DUPLICATE_DEVICE",
      "6:5 DEVICES_DUPLICATE_DEVICE",
      "2:11 DEVICES_NO_ADDRESS",
    ]);
  });
});

test("docs/input-files.md names every column", () => {
  const docs = readFileSync(resolve(import.meta.dirname, "../../../docs/input-files.md"), "utf8");
  for (const { title } of Object.values(COLUMNS)) assert.match(docs, new RegExp(`^\\| ${title} +\\|`, "m"));
  for (const name of IGNORED_COLUMNS) assert.ok(docs.includes(`\`${name}\``), name);
});
