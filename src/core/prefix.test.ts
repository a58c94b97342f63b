import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonAddress, commonLength, contains, overlaps, parsePrefix, type Prefix, prefix } from "./prefix.ts";

const parse = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  assert.ok(typeof parsed !== "string", text);
  return parsed;
};

test("parsePrefix() reads hosts and networks of both families into one canonical text", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1/32"],
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["2001:db8:0:0:1::/80", "2001:db8:0:0:1::/80"],
    ["2001:0db8:0000::/48", "2001:db8::/48"],
    ["::", "::/128"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3/128"],
    ["::ffff:192.0.2.1", "192.0.2.1/32"],
    ["::ffff:192.0.2.0/120", "192.0.2.0/24"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221/128"],
  ];
  for (const [text, key] of cases) assert.equal(parse(text).key, key, text);
});

test("parsePrefix() says why it refuses", () => {
  const cases: [string, string][] = [
    ["192.0.2.7/24", "host-bits-set"],
    ["2001:db8::1/64", "host-bits-set"],
    ["192.0.2.0/33", "bad-length"],
    ["192.0.2.0/-1", "bad-length"],
    ["192.0.2.0/", "bad-length"],
    ["127.1", "not-an-address"],
    ["010.0.0.1", "not-an-address"],
    ["0x7f000001", "not-an-address"],
    ["fe80::1%eth0", "not-an-address"],
    ["", "not-an-address"],
    ["192.0.2.256", "not-an-address"],
  ];
  for (const [text, why] of cases) assert.equal(parsePrefix(text), why, text);
});

const v4 = fc
  .record({ address: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), length: fc.integer({ min: 0, max: 32 }) })
  .map((p) => prefix(4, p.address, p.length));
const v6 = fc
  .record({ address: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), length: fc.integer({ min: 0, max: 128 }) })
  .map((p) => prefix(6, p.address, p.length));
/** Crowded, so that overlaps are common. */
const crowded = fc
  .record({ address: fc.bigInt({ min: 0n, max: 63n }), length: fc.integer({ min: 26, max: 32 }) })
  .map((p) => prefix(4, p.address, p.length));

test("a prefix's text parses to the same prefix", () => {
  fc.assert(
    fc.property(fc.oneof(v4, v6), (p) => {
      // An IPv6 prefix inside ::ffff:0:0/96 is the IPv4 prefix it carries.
      const same = parsePrefix(p.key);
      assert.ok(typeof same !== "string");
      assert.equal(commonAddress(same), commonAddress(p));
      assert.equal(commonLength(same), commonLength(p));
    }),
  );
});

test("overlaps() finds what comparing all pairs finds", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(crowded, v6), { maxLength: 30 }), (list) => {
      const entries = list.map((p, i) => ({ prefix: p, value: i }));
      const pairs = (a: number, b: number): string => [a, b].toSorted((x, y) => x - y).join("-");
      const found = new Set(overlaps(entries).map(([outer, inner]) => pairs(outer, inner)));
      const wanted = new Set<string>();
      for (const [i, a] of list.entries()) {
        for (const [j, b] of list.entries()) if (i < j && (contains(a, b) || contains(b, a))) wanted.add(pairs(i, j));
      }
      assert.deepEqual([...found].toSorted(), [...wanted].toSorted());
    }),
  );
});
