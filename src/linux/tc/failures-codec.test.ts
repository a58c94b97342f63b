import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFailures } from "./failures-codec.ts";

test("each line that failed has what tc said before it", () => {
  const said = [
    "Error: Exclusivity flag on, cannot modify.",
    "Command failed -:2",
    'What is "htbb"?',
    "Usage: ...",
    "Command failed -:5",
    "Command failed /tmp/x.txt:7",
    "",
  ];
  assert.deepEqual(
    [...decodeFailures(said.join("\n"))],
    [
      [2, "Error: Exclusivity flag on, cannot modify."],
      [5, 'What is "htbb"?; Usage: ...'],
      [7, "tc does not say why"],
    ],
  );
});

test("what is said of no line is not lost", () => {
  assert.deepEqual(
    [...decodeFailures("Cannot open netlink socket: Operation not permitted\n")],
    [[0, "Cannot open netlink socket: Operation not permitted"]],
  );
  assert.equal(decodeFailures("").size, 0);
});
