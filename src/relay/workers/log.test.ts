import assert from "node:assert/strict";
import { test } from "node:test";
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
