import assert from "node:assert/strict";
import { test } from "node:test";
import { lockTimeoutOf, parseTimeout } from "./lock-timeout.ts";

test("times have a unit, seconds without one", () => {
  assert.deepEqual(
    ["30s", "500ms", "2m", "5", "0", "1.5s"].map((word) => parseTimeout(word)),
    [30_000, 500, 120_000, 5000, 0, 1500],
  );
  assert.throws(() => parseTimeout("soon"), { code: "USAGE", message: /wanted such as 30s/ });
  assert.equal(lockTimeoutOf({}), undefined);
});
