import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSockaddr, encodeSockaddr } from "./sockaddr.ts";

test("addresses stand as the kernel has them", () => {
  assert.equal(encodeSockaddr("192.0.2.1").toString("hex"), "02000000c00002010000000000000000");
  const six = encodeSockaddr("2001:db8::1").toString("hex");
  assert.equal(six, "0a00000000000000" + "20010db8000000000000000000000001" + "00000000");
  for (const address of ["0.0.0.1", "255.255.255.255", "::1", "2001:db8:0:1::", "fe80::1"])
    assert.equal(decodeSockaddr(encodeSockaddr(address)), address);
});

test("what is no host is refused", () => {
  for (const address of ["", "dns.example", "192.0.2.0/24", "fe80::1%eth0", "1.2.3"])
    assert.throws(() => encodeSockaddr(address), /no address of a host/);
});
