import assert from "node:assert/strict";
import { test } from "node:test";
import { SluiceError } from "../core/errors.ts";
import { readRequest } from "./request.ts";
import { routeRows, type RouteName } from "./routes.ts";

const rows = new Map(routeRows());
const read = (name: RouteName, raw: Parameters<typeof readRequest>[1]): unknown => readRequest(rows.get(name)!, raw);
const problems = (name: RouteName, raw: Parameters<typeof readRequest>[1]): string[] => {
  try {
    read(name, raw);
  } catch (error) {
    if (error instanceof SluiceError) return error.problems.map(({ message }) => message);
  }
  return [];
};

test("defaults are filled in, texts become what they mean", () => {
  assert.deepEqual(read("shaper.plan", {}), {
    params: undefined,
    query: { replaceForeign: false, rebalance: false },
    body: undefined,
  });
  assert.deepEqual(read("programs.get", { params: { id: "0x10" } }), {
    params: { id: 16 },
    query: undefined,
    body: undefined,
  });
});

test("everything that is wrong is told at once, with what was wanted", () => {
  assert.deepEqual(problems("links.attach", { body: { kind: "xdp", programId: 0, device: "a/b", prio: 1 } }), [
    "Cannot take the request: body.programId is 0, wanted >=1",
    'Cannot take the request: body.device is "a/b", wanted the name of an interface',
    "Cannot take the request: body.priority is missing, wanted a value",
    "Cannot take the request: body.prio is 1, wanted nothing of that name",
  ]);
  assert.deepEqual(problems("events", { query: { limit: "5", limits: "6" } }), [
    'Cannot take the request: query.limits is "6", wanted nothing but after, limit, kind',
  ]);
  assert.match(problems("gc", { body: [] })[0]!, /the body is \[\], wanted one JSON object/);
});

test("texts of the caller's are shown in part", () => {
  const [message] = problems("bakery.mode", { body: { mode: "x".repeat(10_000) } });
  assert.ok(message!.length < 300);
});

test("every example is one that its route takes", () => {
  for (const [name, { example }] of routeRows()) assert.deepEqual(problems(name, example), [], name);
});
