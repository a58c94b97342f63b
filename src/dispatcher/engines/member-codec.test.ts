import assert from "node:assert/strict";
import { test } from "node:test";
import { instruction, OP, PSEUDO } from "./instructions.ts";
import { attachMaps, detachMaps } from "./member-codec.ts";

const load = (source: number, immediate: number): Buffer =>
  Buffer.concat([instruction(OP.LD_IMM64, (source << 4) | 1, 0, immediate), instruction(0, 0, 0, 8)]);
const CODE = Buffer.concat([load(PSEUDO.MAP_FD, 5), load(0, 5), load(PSEUDO.MAP_VALUE, 6), instruction(OP.EXIT, 0)]);

test("descriptors are taken out by name and put in again, and plain numbers stay", () => {
  const kept = detachMaps(
    CODE,
    new Map([
      [5, "maps/1/hits"],
      [6, "maps/1/-rodata"],
    ]),
  );
  assert.deepEqual(kept.references, [
    { instruction: 0, map: "maps/1/hits" },
    { instruction: 4, map: "maps/1/-rodata" },
  ]);
  assert.equal(kept.code.readInt32LE(4), 0);
  assert.equal(kept.code.readInt32LE(8 * 2 + 4), 5, "not a map");
  const fds = new Map([
    ["maps/1/hits", 50],
    ["maps/1/-rodata", 60],
  ]);
  const again = attachMaps(kept, fds);
  assert.deepEqual([again.readInt32LE(4), again.readInt32LE(8 * 4 + 4)], [50, 60]);
  assert.equal(again.readInt32LE(8 * 5 + 4), 8, "the offset in the value stays");
});

test("a map without a name, or that is not open, is an error", () => {
  assert.throws(() => detachMaps(CODE, new Map([[5, "x"]])), /descriptor 6/);
  const kept = detachMaps(
    CODE,
    new Map([
      [5, "x"],
      [6, "y"],
    ]),
  );
  assert.throws(() => attachMaps(kept, new Map([["x", 1]])), /"y" is not open/);
});
