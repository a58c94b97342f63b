import assert from "node:assert/strict";
import { test } from "node:test";
import { keyPositions } from "./toml-lines.ts";

const TOML = `# lan = "comment"
top = 1
[shaper] # the table
lan = "eth1"
  "internet" = 'eth0'
note = """
lan = "inside a text"
[other]
"""
path = '''
a = 1''' # '''
one = """x""" # """
leaf.kind = "cake"

[shaper.'deep one']
x = [
  1,
]
[[list]]
y = "a = b"
`;

test("finds tables and keys, and nothing inside texts and comments", () => {
  const found = Object.fromEntries([...keyPositions(TOML)].map(([path, p]) => [path, `${p.line}:${p.column}`]));
  assert.deepEqual(found, {
    top: "2:1",
    shaper: "3:1",
    "shaper.lan": "4:1",
    "shaper.internet": "5:3",
    "shaper.note": "6:1",
    "shaper.path": "10:1",
    "shaper.one": "12:1",
    "shaper.leaf": "13:1",
    "shaper.leaf.kind": "13:1",
    "shaper.deep one": "15:1",
    "shaper.deep one.x": "16:1",
    list: "19:1",
    "list.0": "19:1",
    "list.0.y": "20:1",
  });
});

test("keeps the first place of a repeated key, and reads CRLF files", () => {
  const found = keyPositions("[a]\r\nb = 1\r\n[c]\r\n[a]\r\n");
  assert.deepEqual(
    [found.get("a"), found.get("a.b")],
    [
      { line: 1, column: 1 },
      { line: 2, column: 1 },
    ],
  );
});

test("tells apart the tables of arrays that are in tables of arrays", () => {
  const lines = ["[[rule]]", "[[rule.out]]", "a = 1", "[[rule.out]]", "a = 1", "[[rule]]", "[[rule.out]]", "a = 1"];
  const found = keyPositions([...lines, "[rule.more]", "b = 1", "[other]", "b = 1"].join("\n"));
  const line = (path: string) => found.get(path)?.line;
  assert.deepEqual(
    ["rule.0", "rule.0.out.0.a", "rule.0.out.1.a", "rule.1", "rule.1.out.0", "rule.1.out.0.a"].map((path) =>
      line(path),
    ),
    [1, 3, 5, 6, 7, 8],
  );
  assert.deepEqual([line("rule.1.more.b"), line("other.b"), line("rule.1.out.1")], [10, 12, undefined]);
});
