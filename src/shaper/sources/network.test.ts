import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkNode } from "../model.ts";
import { type Network, parseNetwork } from "./network.ts";

const read = (tree: unknown): Network => parseNetwork(JSON.stringify(tree), "network.json");
const rates = { downloadBandwidthMbps: 100, uploadBandwidthMbps: 50 };
const codes = ({ problems }: Network): string[] => problems.map(({ code }) => code);
const shape = (nodes: readonly NetworkNode[]): unknown =>
  nodes.map(({ name, children }) => (children.length > 0 ? [name, shape(children)] : name));

describe("parseNetwork", () => {
  test("reads rates to the bit, minimums, types and places", () => {
    const text = `{
  "Site": {
    "downloadBandwidthMbps": 2.5, "uploadBandwidthMbps": 1.1,
    "downloadBandwidthMbpsMin": 0.5, "type": "Site", "id": 7, "lat": 1.5
  }
}`;
    assert.deepEqual(parseNetwork(text, "n.json"), {
      nodes: [
        {
          name: "Site",
          max: { download: 2_500_000, upload: 1_100_000 },
          min: { download: 500_000, upload: 0 },
          type: "Site",
          children: [],
          where: { file: "n.json", line: 2, column: 3, path: "$.Site" },
        },
      ],
      names: new Map([
        [
          "Site",
          {
            attach: "Site",
            virtual: false,
            where: { file: "n.json", line: 2, column: 3, path: "$.Site" },
          },
        ],
      ]),
      problems: [],
    });
  });

  test("keeps the file's order, also of names that look like integers", () => {
    const node = JSON.stringify(rates);
    const { nodes } = parseNetwork(`{"b": ${node}, "12": ${node}, "3": ${node}}`, "n");
    assert.deepEqual(shape(nodes), ["b", "12", "3"]);
  });

  test("{} is a flat network, with names known to be none", () => {
    const { nodes, names, problems } = parseNetwork("{}", "n");
    assert.deepEqual([nodes, names?.size, problems], [[], 0, []]);
  });

  test("a file that cannot be read to its end has no names, one with slips has", () => {
    assert.equal(parseNetwork('{"a": ', "n").names, undefined);
    assert.equal(parseNetwork("[]", "n").names, undefined);
    const slip = parseNetwork(`{"a": ${JSON.stringify(rates)},}`, "n");
    assert.deepEqual([codes(slip), [...slip.names!.keys()]], [["NETWORK_SYNTAX"], ["a"]]);
  });

  test("dissolves virtual nodes and tells where their circuits go", () => {
    const network = read({
      Region: {
        virtual: true,
        children: { Site: { ...rates, children: { Row: { type: "VIRTUAL", children: { AP: rates } } } } },
      },
      Other: { ...rates, virtual: false },
    });
    assert.deepEqual(codes(network), []);
    assert.deepEqual(shape(network.nodes), [["Site", ["AP"]], "Other"]);
    const attach = [...network.names!].map(([name, { attach: to, virtual }]) => [name, to, virtual]);
    assert.deepEqual(attach, [
      ["Region", undefined, true],
      ["Site", "Site", false],
      ["Row", "Site", true],
      ["AP", "AP", false],
      ["Other", "Other", false],
    ]);
  });

  test("trims names, and finds those used twice anywhere in the tree", () => {
    const network = read({
      " A ": { ...rates, children: { B: rates } },
      C: { ...rates, children: { A: rates, B: rates } },
    });
    assert.deepEqual(
      network.problems.map(({ message, where }) => [message, where!.path]),
      [
        ['Node name "A" is used twice, first on line 1 ($[" A "])', "$.C.children.A"],
        ['Node name "B" is used twice, first on line 1 ($[" A "].children.B)', "$.C.children.B"],
      ],
    );
  });

  test("warns of fields that are nearly known, and only of those", () => {
    const network = read({
      A: { ...rates, downloadBandwidthMbpsMn: 5, name: "x", active_attachment_name: "y", Type: "z" },
    });
    assert.deepEqual(
      network.problems.map(({ severity, message }) => [severity, message]),
      [
        [
          "warning",
          'Node "A" has downloadBandwidthMbpsMn, which sluice does not read; did you mean downloadBandwidthMbpsMin?',
        ],
        ["warning", 'Node "A" has Type, which sluice does not read; did you mean type?'],
      ],
    );
  });

  test("reports every problem of every node in one go", () => {
    const network = read({
      A: { downloadBandwidthMbps: "5", children: { B: 3, none: { ...rates, uploadBandwidthMbpsMin: 51 } } },
      "a\tb": { ...rates, children: [], downloadBandwidthMbpsMin: -1 },
    });
    assert.deepEqual(codes(network).toSorted(), [
      "NETWORK_MIN_ABOVE_MAX",
      "NETWORK_RATE_INVALID",
      "NETWORK_RATE_INVALID",
      "NETWORK_RATE_MISSING",
      "NETWORK_RESERVED_NAME",
      "NETWORK_RESERVED_NAME",
      "NETWORK_SHAPE",
      "NETWORK_SHAPE",
    ]);
  });
});
