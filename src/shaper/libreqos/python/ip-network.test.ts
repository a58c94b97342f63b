import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipAddress, ipNetwork } from "./ip-network.ts";

describe("ipNetwork", () => {
  it("takes what Python takes", () => {
    for (const text of [
      "100.64.0.1",
      "10.0.0.0/8",
      "10.0.0.0/008",
      "0.0.0.0/0",
      "10.1.0.0/255.255.0.0",
      "10.1.0.0/0.0.255.255",
    ])
      assert.equal(ipNetwork(text), 4, text);
    for (const text of [
      "::",
      "2001:db8::/32",
      "2001:db8::1",
      "fe80::1%eth0",
      "::ffff:192.0.2.0/120",
      "1:2:3:4:5:6:7:8/128",
    ])
      assert.equal(ipNetwork(text), 6, text);
  });

  it("raises where Python raises", () => {
    const wrong = [
      "",
      "hello",
      "1.2.3",
      "300.1.1.1",
      "01.2.3.4",
      "1.2.3.4/",
      "1.2.3.4/33",
      "1.2.3.4/24/1",
      "1.2.3.4/-1",
    ];
    const bits = ["10.0.0.1/24", "10.0.0.1/255.255.255.0", "2001:db8::1/64", "::ffff:192.0.2.1/120", "1.2.3.4/0"];
    const v6 = ["2001:db8::zz", "1::2::3", "::/129", "::/ffff::", "fe80::1%", "1:2:3:4:5:6:7:8:9"];
    for (const text of [...wrong, ...bits, ...v6, "10.0.0.0/255.0.255.0"])
      assert.equal(ipNetwork(text), undefined, text);
  });
});

describe("ipAddress", () => {
  it("takes no networks", () => {
    assert.deepEqual(
      ["1.2.3.4", "::1", "1.2.3.4/32", "::1%a/64"].map((text) => ipAddress(text)),
      [4, 6, undefined, undefined],
    );
  });
});
