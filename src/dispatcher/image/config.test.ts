import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./config.ts";
import { ImageFault } from "./fault.ts";

const parse = (value: unknown) => parseConfig(Buffer.from(JSON.stringify(value)));
const labelled = (labels: unknown) => ({ os: "linux", architecture: "amd64", config: { Labels: labels } });

test("reads the platform and the labels", () => {
  const { platform, programs, maps } = parse(
    labelled({
      "io.ebpf.programs": '{"count":"xdp","mark":"tc"}',
      "io.ebpf.maps": '{"counts":"percpu_array"}',
      other: "x",
    }),
  );
  assert.deepEqual(platform, { os: "linux", architecture: "amd64" });
  assert.deepEqual(
    [...programs],
    [
      ["count", "xdp"],
      ["mark", "tc"],
    ],
  );
  assert.deepEqual([...maps], [["counts", "percpu_array"]]);
});

test("does without labels, and without all else", () => {
  const nothing = { programs: new Map(), maps: new Map() };
  for (const value of [{}, { config: null }, { config: { Labels: null } }, { os: "", architecture: "" }])
    assert.deepEqual(parse(value), nothing);
  assert.deepEqual(parse({ config: { Labels: { "io.ebpf.programs": "" } } }), nothing);
});

test("takes names that JavaScript's objects have already", () => {
  const { programs } = parse(labelled({ "io.ebpf.programs": '{"__proto__":"xdp","constructor":"tc"}' }));
  assert.deepEqual([...programs.keys()], ["__proto__", "constructor"]);
});

const REFUSALS: readonly (readonly [label: unknown, reason: RegExp])[] = [
  ["count=xdp", /"count=xdp" is no JSON$/],
  ['["count"]', /is no JSON object/],
  ['"count"', /is no JSON object/],
  ["null", /is no JSON object/],
  [3, /it is no text/],
  ['{"count":3}', /"count" has the type "3", which is no name of a type/],
  ['{"count":""}', /"count" has the type/],
  ['{"count":"XDP"}', /"count" has the type "\\"XDP\\""/],
  ['{"":"xdp"}', /"" is no name of C/],
  ['{"a b":"xdp"}', /"a b" is no name of C/],
  ['{"a\\u001b[31m":"xdp"}', /"a\\u001b\[31m" is no name of C/],
];

for (const [label, reason] of REFUSALS) {
  test(`refuses the label ${JSON.stringify(label)}`, () => {
    for (const name of ["io.ebpf.programs", "io.ebpf.maps"]) {
      assert.throws(
        () => parse(labelled({ [name]: label })),
        (error) => {
          assert.ok(error instanceof ImageFault && error.code === "IMAGE_LABEL");
          assert.equal(error.params["label"], name);
          assert.match(String(error.params["reason"]), reason);
          return true;
        },
      );
    }
  });
}
