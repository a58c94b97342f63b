import assert from "node:assert/strict";
import { test } from "node:test";
import { configureLogs, type LogLevels } from "../../core/log.ts";
import { WorkerLog } from "./log.ts";

const complaintOf = (...lines: readonly string[]): string | undefined => {
  const log = new WorkerLog("eth0");
  for (const line of lines) log.take(line);
  return log.complaint;
};

test("the last complaint is kept: an error that it says, or one that Node says of it", () => {
  assert.equal(complaintOf('{"level":"info","message":"fine"}', '{"level":"warning","message":"hm"}'), undefined);
  assert.equal(complaintOf('{"level":"error","message":"broken"}', '{"level":"info","message":"x"}'), "broken");
  const crash = [
    "file:///x.ts:1",
    "    throw new Error()",
    "    ^",
    "SystemError: mmap: no memory (ENOMEM)",
    "    at new SystemError (x)",
  ];
  assert.equal(complaintOf(...crash), "SystemError: mmap: no memory (ENOMEM)");
});

test("lines that are no messages are texts", () => {
  for (const line of ["null", "1", '{"level":"loud","message":"x"}', '{"level":"error"}', "{", "[]"])
    assert.equal(complaintOf(line), undefined);
});

test("what it says obeys the level of relay.worker, or of what is above it", async () => {
  const seen = async (levels: LogLevels): Promise<string[]> => {
    const lines: string[] = [];
    await configureLogs(levels, (line) => lines.push(line.replace(/^\S+ /, "")));
    const log = new WorkerLog("eth0");
    for (const level of ["debug", "info", "warning", "error"]) log.take(JSON.stringify({ level, message: "x" }));
    return lines.map((line) => line.replace(" relay.worker: eth0: x", ""));
  };
  assert.deepEqual(await seen({ "": "info" }), ["info", "warning", "error"]);
  assert.deepEqual(await seen({ "": "info", "relay.worker": "error" }), ["error"]);
  assert.deepEqual(await seen({ "": "error", "relay.worker": "debug" }), ["debug", "info", "warning", "error"]);
  assert.deepEqual(await seen({ "": "info", relay: "warning" }), ["warning", "error"]);
  assert.deepEqual(await seen({ relay: "error", "relay.worker": "info" }), ["info", "warning", "error"]);
});
