import assert from "node:assert/strict";
import { test } from "node:test";
import { milliseconds } from "../core/units.ts";
import { CONDITIONS } from "./conditions.ts";
import { Health } from "./health.ts";

test("conditions come and go once, keep their beginning, and stand errors first", () => {
  const told: string[] = [];
  let now = 0;
  const health = new Health(
    { now: () => milliseconds(now), monotonic: () => milliseconds(now) },
    { raised: ({ code, message }) => told.push(`+${code} ${message}`), cleared: ({ code }) => told.push(`-${code}`) },
  );
  health.raise("CONFIG_PINNED", { id: 3 });
  now = 5000;
  health.raise("CONFIG_PINNED", { id: 3 });
  health.raise("LINK_MISSING", { reason: "lan0 is gone" });
  health.raise("LINK_MISSING", { reason: "wan0 is gone" });
  assert.deepEqual(
    health.list().map(({ code, since }) => [code, since]),
    [
      ["LINK_MISSING", "1970-01-01T00:00:05.000Z"],
      ["CONFIG_PINNED", "1970-01-01T00:00:00.000Z"],
    ],
  );
  health.clear("CONFIG_PINNED");
  health.clear("CONFIG_PINNED");
  assert.deepEqual(told, [
    "+CONFIG_PINNED The kernel is held to configuration 3, whatever the files say now",
    "+LINK_MISSING lan0 is gone",
    "+LINK_MISSING wan0 is gone",
    "-CONFIG_PINNED",
  ]);
});

test("every condition says what to do", () => {
  for (const [code, { title, message, remedy }] of Object.entries(CONDITIONS)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    for (const text of [title, message, remedy]) assert.ok(text.length > 5 && !text.endsWith("."), `${code}: ${text}`);
  }
});
