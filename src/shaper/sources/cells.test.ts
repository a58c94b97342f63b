import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddresses, parseLeaf, parseMac } from "./cells.ts";

const keys = (cell: string, family: 4 | 6): string[] => parseAddresses(cell, family).prefixes.map(({ key }) => key);

test("takes several hosts and networks, parted by commas, semicolons or blanks", () => {
  assert.deepEqual(keys("192.0.2.1, 192.0.2.8/29;198.51.100.0/24 203.0.113.9", 4), [
    "192.0.2.1/32",
    "192.0.2.8/29",
    "198.51.100.0/24",
    "203.0.113.9/32",
  ]);
  assert.deepEqual(keys("2001:DB8:0::1,\t2001:db8:1::/48", 6), ["2001:db8::1/128", "2001:db8:1::/48"]);
});

test("says why an address is refused, and reads the others", () => {
  const { prefixes, faults } = parseAddresses("192.0.2.7/24,2001:db8::1,192.0.2.0/40,x,192.0.2.1", 4);
  assert.deepEqual(
    prefixes.map(({ key }) => key),
    ["192.0.2.1/32"],
  );
  assert.deepEqual(faults, [
    {
      value: "192.0.2.7/24",
      reason: "which has host bits set: the host is 192.0.2.7, the network is 192.0.2.0/24",
    },
    { value: "2001:db8::1", other: "IPv6", reason: "" },
    { value: "192.0.2.0/40", reason: "whose length must be a number from 0 to 32" },
    { value: "x", reason: "which is no IPv4 address" },
  ]);
});

test("reads leaves for one or both directions", () => {
  assert.deepEqual(parseLeaf(""), {});
  assert.deepEqual(parseLeaf("CAKE"), { download: "cake", upload: "cake" });
  assert.deepEqual(parseLeaf("fq_codel / none"), { download: "fq_codel", upload: "none" });
  assert.deepEqual(parseLeaf("/fifo"), { upload: "fifo" });
  assert.deepEqual(parseLeaf("cake/"), { download: "cake" });
  assert.equal(parseLeaf("red"), '"red" is no leaf');
  assert.equal(parseLeaf("cake/cake/cake"), "it has more than two sides");
  assert.equal(parseLeaf("/"), "both sides are empty");
});

test("reads MAC addresses in every usual form", () => {
  for (const text of ["00:1A:2b:3c:4d:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "001a2b3c4d5e"]) {
    assert.equal(parseMac(text), "00:1a:2b:3c:4d:5e");
  }
  assert.equal(parseMac("00:1a:2b:3c:4d"), undefined);
  assert.equal(parseMac("n/a"), undefined);
});
