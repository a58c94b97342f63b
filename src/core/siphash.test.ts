import assert from "node:assert/strict";
import { test } from "node:test";
import { sipHash13 } from "./siphash.ts";

const hex = (text: Uint8Array | string): string => sipHash13(Buffer.from(text)).toString(16).padStart(16, "0");

test("texts have the hashes that LibreQoS gives them", () => {
  assert.deepEqual(
    [hex(""), hex("1"), hex("abcdefg"), hex("abcdefgh"), hex("abcdefghi")],
    ["d1fba762150c532c", "a0bead804318e255", "6db12aae9070f506", "3f7b849c0b8e35ea", "f89b34a3d11eb6e5"],
  );
});

test("a list of ids, each ended by 0xFF, has the hash that MCR gives it", () => {
  const bytes = ["18302982b59d5f86", "abc"].flatMap((id) => [...Buffer.from(id), 0xff]);
  assert.equal(hex(Uint8Array.from(bytes)), "19851ef72e76e274");
});

test("the length counts, and every byte does", () => {
  const seen = new Set<string>();
  for (let length = 0; length <= 24; length += 1) {
    seen.add(hex(new Uint8Array(length)));
    for (let at = 0; at < length; at += 1) seen.add(hex(new Uint8Array(length).with(at, 0x80)));
  }
  assert.equal(seen.size, 25 + (24 * 25) / 2);
});
