import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseEnvironment, variablesOf } from "./environment.ts";

const plain = (text: string) =>
  Object.fromEntries([...parseEnvironment(text).variables].map(([name, { value }]) => [name, value]));

test("lines as env prints them and systemd reads them", () => {
  const text = [
    "# SQMA for the line",
    "SQMA_UPLOAD_INTERFACE=wan",
    "export SQMA_DOWNLOAD_INTERFACE='ifb4 wan'",
    '  SQMA_STATS_FILE="/tmp/a \\"b\\".csv"  ',
    "LS_COLORS=rs=0:di=01;34",
    "a line of something else",
    "SQMA_EMPTY=",
  ];
  assert.deepEqual(plain(text.join("\r\n")), {
    SQMA_UPLOAD_INTERFACE: "wan",
    SQMA_DOWNLOAD_INTERFACE: "ifb4 wan",
    SQMA_STATS_FILE: '/tmp/a "b".csv',
    LS_COLORS: "rs=0:di=01;34",
    SQMA_EMPTY: "",
  });
  assert.deepEqual(parseEnvironment("A=1\nSQMA_B=2").variables.get("SQMA_B"), {
    value: "2",
    where: { line: 2, column: 1 },
  });
});

test("entries of a running program", () => {
  assert.deepEqual(plain("A=1\0SQMA_B='x'\ny\0"), { A: "1", SQMA_B: "'x'\ny" });
  assert.deepEqual([...variablesOf({ A: "1", B: undefined })], [["A", { value: "1" }]]);
});

test("a line that is meant for the program and cannot be read is told of", () => {
  const { faults } = parseEnvironment("SQMA_UPLOAD_INTERFACE wan\nothers\n");
  assert.deepEqual(faults, [{ line: 1, column: 1, reason: '"SQMA_UPLOAD_INTERFACE wan" is no NAME=value' }]);
});

test("nothing throws, and plain values come through", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseEnvironment(text)));
  fc.assert(
    fc.property(fc.stringMatching(/^[\w./:-]*$/), (value) =>
      assert.deepEqual(plain(`SQMA_X=${value}`), { SQMA_X: value }),
    ),
  );
});
