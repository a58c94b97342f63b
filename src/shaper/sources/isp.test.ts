import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDevices } from "./devices.ts";
import { type IspResult, joinIsp, readIsp } from "./isp.ts";
import { parseNetwork } from "./network.ts";

const FILES = { network: "n", devices: "d" };
const rates = { downloadBandwidthMbps: 100, uploadBandwidthMbps: 50 };

/** An ISP of circuits given as "id parent addresses"; "-" is an empty cell. */
function joined(tree: unknown, ...rows: string[]): IspResult {
  const cells = rows.map((row, i) => {
    const [id, parent, v4 = "", v6 = ""] = row.split(" ").map((cell) => (cell === "-" ? "" : cell));
    return `${id},d${i},${parent},"${v4}","${v6}",10,5`;
  });
  const csv = ["Circuit ID,Device ID,Parent Node,IPv4,IPv6,Download Max,Upload Max", ...cells].join("\n");
  return joinIsp(parseNetwork(JSON.stringify(tree), "n"), parseDevices(csv, "d"), FILES);
}
const said = ({ problems }: IspResult): string[] =>
  problems.map(({ message, where }) => `${where!.file}:${where!.line}:${where!.column} ${message}`);

describe("joinIsp", () => {
  test("hangs circuits of virtual nodes on the nearest real one, or on the link with a warning", () => {
    const tree = { V: { virtual: true, children: { A: { ...rates, children: { W: { virtual: true } } } } } };
    const result = joined(tree, "c1 V 10.0.0.1", "c2 W 10.0.0.2", "c3 A 10.0.0.3", "c4 none 10.0.0.4");
    assert.deepEqual(said(result), [
      'n:1:2 The circuits of virtual node "V" hang on the link itself, as no real node is above it: "c1"',
    ]);
    assert.deepEqual(
      result.isp?.circuits.map(({ parent }) => parent),
      [undefined, "A", "A", undefined],
    );
    assert.equal("parent" in result.isp.circuits[0]!, false);
  });

  test("finds unknown parents, with a hint when one is near", () => {
    assert.deepEqual(said(joined({ Millbrook: rates }, "c1 Milbrook 10.0.0.1", "c2 Elsewhere 10.0.0.2")), [
      'd:2:7 Circuit "c1" names the parent node "Milbrook", which is not in the network; did you mean "Millbrook"?',
      'd:3:7 Circuit "c2" names the parent node "Elsewhere", which is not in the network',
    ]);
  });

  test("does not ask for parents in a network that was not read to its end", () => {
    const devices = parseDevices("Circuit ID,Parent,IPv4,Download Max,Upload Max\nc1,A,10.0.0.1,10,5\n", "d");
    assert.deepEqual(
      joinIsp(parseNetwork("{", "n"), devices, FILES).problems.map(({ code }) => code),
      ["NETWORK_SYNTAX"],
    );
    assert.deepEqual(joinIsp(undefined, devices, FILES), { problems: [] });
  });

  test("finds addresses given twice, once each", () => {
    assert.deepEqual(
      said(joined({}, "c1 - 10.0.0.1,10.0.0.1", "c2 - 10.0.0.1", "c2 - 10.0.0.2 2001:db8::1", "c3 - - 2001:DB8:0::1")),
      [
        'd:2:8 Address 10.0.0.1 of device "d0" stands twice in this row',
        'd:3:8 Address 10.0.0.1 of device "d1" is taken by device "d0" on line 2',
        'd:5:11 Address 2001:db8::1 of device "d3" is taken by device "d2" on line 4',
      ],
    );
  });

  test("finds prefixes inside those of other circuits; inside their own they do no harm", () => {
    const result = joined({}, "c1 - 10.0.0.0/24,10.0.0.8/29", "c2 - 10.0.0.9", "c1 - 10.0.0.10", "c3 - 10.1.0.0/24");
    assert.deepEqual(said(result), [
      'd:3:8 Address 10.0.0.9 of circuit "c2" lies in 10.0.0.8/29 of circuit "c1" on line 2',
    ]);
  });

  test("warns when no circuit at all names a node", () => {
    assert.deepEqual(
      joined({ A: rates }, "c1 - 10.0.0.1").problems.map(({ code }) => code),
      ["DEVICES_NO_PARENTS"],
    );
    assert.deepEqual(joined({}, "c1 - 10.0.0.1").problems, []);
  });
});

test("no text whatever makes it throw, and there is an ISP exactly when there is no error", () => {
  const parts = [
    '"',
    ",",
    "\n",
    "{",
    "}",
    ":",
    "1",
    "c1",
    "10.0.0.1",
    "10.0.0.0/24",
    "A",
    "sqm",
    "cake",
    " ",
    "#",
    "children",
    "\0",
  ];
  const soup = fc.array(fc.constantFrom(...parts), { maxLength: 40 }).map((words) => words.join(""));
  const header = fc.constantFrom("", "Circuit ID,IPv4,Download Max,Upload Max,Parent,sqm\n");
  const network = fc.oneof(soup, fc.json(), fc.constant(JSON.stringify({ A: rates })));
  fc.assert(
    fc.property(network, header, soup, (tree, head, rows) => {
      const { isp, problems } = joinIsp(parseNetwork(tree, "n"), parseDevices(head + rows, "d"), FILES);
      assert.equal(
        isp === undefined,
        problems.some(({ severity }) => severity === "error"),
      );
    }),
    { numRuns: 2000 },
  );
});

const GOLDEN = resolve(import.meta.dirname, "../../../../shared/golden/libreqos");

/** Cases of which LibreQoS warns at most, and sluice makes errors: it would have to guess what is meant. */
const STRICTER: Readonly<Record<string, string>> = {
  e_dup_ipv4_warns: "DEVICES_ADDRESS_DUPLICATE",
  e_multi_device: "DEVICES_DUPLICATE_CIRCUIT",
  g_orphans: "DEVICES_PARENT_UNKNOWN",
};

/** The first error of each of the cases that are meant to be bad; some are only bad for LibreQoS. */
const INVALID: Readonly<Record<string, string | undefined>> = {
  bad_ipv4: "DEVICES_ADDRESS_INVALID",
  bad_ipv6: "DEVICES_ADDRESS_INVALID",
  blank_line: undefined,
  circuit_node_name_clash: undefined,
  download_max_too_small: undefined,
  download_min_too_small: undefined,
  dup_ipv4: "DEVICES_ADDRESS_DUPLICATE",
  dup_ipv6: "DEVICES_ADDRESS_DUPLICATE",
  dup_key_same_level: "NETWORK_DUPLICATE_KEY",
  dup_node_name: "NETWORK_DUPLICATE_NODE",
  empty_file: "DEVICES_NO_HEADER",
  fourteen_columns: undefined,
  generated_pn_name_clash: undefined,
  header_only: undefined,
  ipv4_host_bits: "DEVICES_ADDRESS_INVALID",
  ipv4_in_ipv6_column: "DEVICES_ADDRESS_COLUMN",
  ipv4_text: "DEVICES_ADDRESS_INVALID",
  ipv6_host_bits: "DEVICES_ADDRESS_INVALID",
  ipv6_in_ipv4_column: "DEVICES_ADDRESS_COLUMN",
  min_gt_max_down: "DEVICES_MIN_ABOVE_MAX",
  min_gt_max_up: "DEVICES_MIN_ABOVE_MAX",
  network_list: "NETWORK_SHAPE",
  network_missing_download_bw: "NETWORK_RATE_MISSING",
  network_missing_upload_bw: "NETWORK_RATE_MISSING",
  network_not_json: "NETWORK_SYNTAX",
  network_string_bw: "NETWORK_RATE_INVALID",
  network_zero_valid_nodes: "NETWORK_SHAPE",
  no_circuit_id: "DEVICES_CIRCUIT_ID_MISSING",
  no_header: "DEVICES_NO_HEADER",
  ok_control: undefined,
  parent_literal_none: undefined,
  parent_mismatch: "DEVICES_DUPLICATE_CIRCUIT",
  rate_nan_inf: "DEVICES_RATE_INVALID",
  rate_negative: "DEVICES_RATE_INVALID",
  rate_text: "DEVICES_RATE_INVALID",
  rate_underscore_and_space: "DEVICES_RATE_INVALID",
  twelve_columns: undefined,
  unknown_parent: "DEVICES_PARENT_UNKNOWN",
  upload_max_too_small: undefined,
};

describe("files of LibreQoS", { skip: existsSync(GOLDEN) ? false : `no golden data at ${GOLDEN}` }, () => {
  const readCase = (...parts: string[]): IspResult => {
    const directory = join(GOLDEN, ...parts);
    return readIsp({ network: join(directory, "network.json"), devices: join(directory, "ShapedDevices.csv") });
  };
  const firstError = ({ problems }: IspResult): string | undefined =>
    problems.find(({ severity }) => severity === "error")?.code;

  const names = existsSync(GOLDEN) ? readdirSync(GOLDEN) : [];
  for (const name of names.filter((name) => existsSync(join(GOLDEN, name, "ShapedDevices.csv")))) {
    const code = STRICTER[name];
    test(`${name}: ${code ?? "no error"}`, () => assert.equal(firstError(readCase(name)), code));
  }
  for (const [name, code] of Object.entries(INVALID)) {
    test(`${name}: ${code ?? "no error"}`, () => assert.equal(firstError(readCase("j_invalid", name)), code));
  }
});
