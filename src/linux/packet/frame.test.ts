import assert from "node:assert/strict";
import { test } from "node:test";
import { checksum, ETHERTYPE, ethernet, ipv4, ipv6, PPP, pppoe } from "./frame.ts";

test("an IPv4 frame stands byte for byte as the standards say", () => {
  const frame = ethernet(ipv4("192.0.2.1", "198.51.100.7", { size: 2, port: 1 })).toString("hex");
  const header = "4500001e0000400040114e93" + "c0000201" + "c6336407";
  assert.equal(frame, `020000000002020000000001` + `0800${header}00010009000a00000000`);
});

test("the IPv4 header sums up to nothing", () => {
  assert.equal(checksum(ipv4("10.0.0.1", "10.255.255.254").bytes.subarray(0, 20)), 0);
});

test("tags stand outermost first, each announced by its own type", () => {
  const tags = [{ id: 5, type: ETHERTYPE.QINQ }, { id: 0xfff }];
  assert.equal(ethernet({ type: 0x0806, bytes: Buffer.alloc(0) }, tags).toString("hex", 12), "88a8000581000fff0806");
});

test("PPPoE carries IPv4, IPv6 and anything else under its protocol number", () => {
  const start = (hex: string): string => hex.slice(0, 16);
  assert.equal(start(pppoe(ipv4("10.0.0.1", "10.0.0.2")).bytes.toString("hex")), "1100000100300021");
  assert.equal(start(pppoe(ipv6("fd00::1", "fd00::2")).bytes.toString("hex")), "1100000100440057");
  assert.equal(start(pppoe({ type: 0, bytes: Buffer.alloc(4) }, PPP.LCP).bytes.toString("hex")), "110000010006c021");
});

test("an address that is none is refused", () => {
  assert.throws(() => ipv4("192.0.2", "192.0.2.1"), /"192.0.2" is no address/);
});
