import assert from "node:assert/strict";
import { test } from "node:test";
import { target } from "./client.ts";
import { match } from "./match.ts";
import { routeRows } from "./routes.ts";

test("every route is found by its own path", () => {
  for (const [name, row] of routeRows()) {
    const params = Object.fromEntries([...row.path.matchAll(/\{(\w+)\}/g)].map(([, key]) => [key!, `a/b ${key}`]));
    const path = new URL(target(row, { params }), "http://x").pathname;
    const found = match(row.method, path);
    assert.equal(found.name, name);
    assert.deepEqual(found.params, params);
  }
});

test("fixed words come before parameters", () => {
  assert.equal(match("GET", "/v1/plans/stream").name, "plans.stream");
  assert.equal(match("GET", "/v1/plans/7").name, "plans.get");
});

test("a broken escape is taken as it is", () => {
  assert.deepEqual(match("GET", "/v1/shaper/circuits/%zz").params, { id: "%zz" });
});

test("what is not there is told, and which methods there are", () => {
  assert.throws(() => match("GET", "/v2/status"), { code: "ROUTE_UNKNOWN" });
  assert.throws(() => match("PATCH", "/v1/log"), /METHOD_NOT_ALLOWED[\s\S]*Use GET or PUT/);
});
