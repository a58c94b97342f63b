/** Pages whose tables are made from what the daemon serves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiPages } from "../tools/api-doc.ts";

for (const { path, is, wanted } of apiPages())
  test(`${path.split("/").at(-1)} says what is served`, () => {
    assert.ok(is === wanted, `${path} is out of date: run npm run docs`);
    assert.ok(is.length > 2000);
  });
