import assert from "node:assert/strict";
import { test } from "node:test";
import { readReflectors } from "./file.ts";

test("the shipped list is without fault, and has enough of both families", () => {
  const { reflectors, problems } = readReflectors();
  assert.deepEqual(problems, []);
  const count = (family: number): number => reflectors.filter((reflector) => reflector.family === family).length;
  assert.ok(count(4) >= 24 && count(6) >= 12, `${count(4)} and ${count(6)}`);
  for (const { address, description } of reflectors) assert.notEqual(description, "", address);
});

test("a list that is not there is told of", () => {
  const { reflectors, problems } = readReflectors("/nowhere/reflectors.csv");
  assert.deepEqual(reflectors, []);
  assert.deepEqual(
    problems.map(({ code, message }) => [code, message]),
    [["FILE_UNREADABLE", 'Cannot read "/nowhere/reflectors.csv": there is no such file']],
  );
});
