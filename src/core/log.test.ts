import assert from "node:assert/strict";
import { test } from "node:test";
import { configureLogs, logger, parseLogLevels } from "./log.ts";

test("parseLogLevels() reads one level for all, or a level per category", () => {
  assert.deepEqual(parseLogLevels("info"), { "": "info" });
  assert.deepEqual(parseLogLevels("shaper=debug,netlink=trace"), { shaper: "debug", netlink: "trace" });
  assert.equal(parseLogLevels("shaper=loud"), undefined);
});

test("each category has a level of its own, which can be changed at run time", async () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^\S+ /, ""));
  await configureLogs({ shaper: "debug" }, write);
  logger("shaper", "apply").debug("seen {count}", { count: 3 });
  logger("netlink").info("not seen");
  logger("netlink").warning("seen");
  assert.deepEqual(lines, ["debug shaper.apply: seen 3", "warning netlink: seen"]);
  await configureLogs({ netlink: "info" }, write);
  logger("shaper", "apply").debug("not seen");
  logger("netlink").info("seen");
  assert.equal(lines.at(-1), "info netlink: seen");
  assert.equal(lines.length, 3);
});

test("for journald a line is JSON behind its priority", async () => {
  const lines: string[] = [];
  await configureLogs({ "": "info" }, (line) => lines.push(line), true);
  logger("shaper").error("it broke", { device: "lan0" });
  const [head, body] = [lines[0]!.slice(0, 3), JSON.parse(lines[0]!.slice(3)) as Record<string, unknown>];
  assert.equal(head, "<3>");
  assert.deepEqual([body["category"], body["message"], body["device"]], ["shaper", "it broke", "lan0"]);
});
