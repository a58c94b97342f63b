import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseShell } from "./shell.ts";

const plain = (text: string) => {
  const { assignments, faults } = parseShell(text);
  assert.deepEqual(faults, []);
  return Object.fromEntries([...assignments].map(([name, { value }]) => [name, value]));
};
const faults = (text: string): string[] =>
  parseShell(text).faults.map(({ line, column, reason }) => `${line}:${column} ${reason}`);

test("plain assignments, quotes, arrays, comments", () => {
  const text = [
    "#!/bin/bash",
    "dl_if=ifb-wan # download interface",
    "ul_if='wan 1'; upload_only=0",
    'ping_extra_args="-I wwan0 -m $((0x300))"',
    "export high_load_thr=0.75",
    "reflectors=(",
    '"1.1.1.1" "1.0.0.1"  # one',
    "8.8.8.8",
    ")",
    'path="/a\\"b"/c\\ d',
    "empty=",
    "hash=a#b",
    "dl_if=ifb-later",
  ].join("\r\n");
  assert.deepEqual(plain(text), {
    dl_if: "ifb-later",
    ul_if: "wan 1",
    upload_only: "0",
    ping_extra_args: "-I wwan0 -m 768",
    high_load_thr: "0.75",
    reflectors: ["1.1.1.1", "1.0.0.1", "8.8.8.8"],
    path: '/a"b/c d',
    empty: "",
    hash: "a#b",
  });
  assert.deepEqual(parseShell("\n  a=1").assignments.get("a"), { value: "1", line: 2, column: 3 });
});

test("what would need a shell is a fault, line by line", () => {
  assert.deepEqual(
    faults(
      [
        "a=$(uci get x)",
        "b=`ls`",
        'c="$a"',
        "if true; then",
        "  d=1",
        "fi",
        ". /root/other.sh",
        "e=1 env",
        "f=(1 $x)",
        "g=a*",
        "h=$((1 + 2))$((010))",
        "i='open",
      ].join("\n"),
    ),
    [
      "1:1 its value is made by the shell",
      "2:1 its value is made by the shell",
      "3:1 its value is made by the shell",
      "4:1 it is no assignment of a plain value",
      "6:1 it is no assignment of a plain value",
      "7:1 it is no assignment of a plain value",
      "8:1 it is a command with a variable before it",
      "9:1 an entry of it is made by the shell",
      "10:1 its value is made by the shell",
      "11:1 its value is made by the shell",
      "12:1 a quote does not end",
    ],
  );
});

test("nothing throws, nothing hangs, and quoted values come through", () => {
  const piece = fc.constantFrom("a=", "(", ")", "'", '"', "\\", "$", "`", " ", "\n", "#", ";", "x", "1", "$((", "))");
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void parseShell(pieces.join(""))));
  fc.assert(
    fc.property(fc.string(), (value) => {
      const text = `a='${value.replaceAll("\r\n", "").replaceAll("'", `'\\''`)}'\n`;
      assert.deepEqual(plain(text), { a: value.replaceAll("\r\n", "") });
    }),
  );
});
