import assert from "node:assert/strict";
import { test } from "node:test";
import { hashToI64 } from "./hash.ts";

test("hashToI64 is SipHash-1-3 of the UTF-8 bytes, at every length of the last word", () => {
  const known: Readonly<Record<string, bigint>> = {
    "": -3315872660926475476n,
    "1": -6863858015672933803n,
    abcdefg: 7904145750247929094n,
    abcdefgh: 4574395652268504554n,
    abcdefghi: -532774252720507163n,
    Smörgåsbord: 5652049438082046826n,
  };
  for (const [text, hash] of Object.entries(known)) assert.equal(hashToI64(text), hash, JSON.stringify(text));
});
