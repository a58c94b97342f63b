import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseReflectors } from "./parse.ts";

const HEADER = "reflector_ip,ip_version,description\n";
const addresses = (text: string): readonly string[] => parseReflectors(text, "r.csv").reflectors.map((r) => r.address);
const faults = (text: string): readonly string[] =>
  parseReflectors(text, "r.csv").problems.map(
    ({ code, where, message }) => `${where?.line}:${where?.column} ${code} ${message}`,
  );

describe("a list of reflectors", () => {
  it("is read as sqm-autorate writes it, and IPv6 too", () => {
    const { reflectors, problems } = parseReflectors(
      `${HEADER}9.9.9.9,4,Quad9\n2620:00FE::00fe,6,"Quad9, too"\n`,
      "r.csv",
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(reflectors, [
      { address: "9.9.9.9", family: 4, description: "Quad9" },
      { address: "2620:fe::fe", family: 6, description: "Quad9, too" },
    ]);
  });

  it("may lack header, versions and descriptions, and have comments and other columns", () => {
    assert.deepEqual(addresses("9.9.9.9\r\n# mine\r\n\r\n1.1.1.1,4\r\n"), ["9.9.9.9", "1.1.1.1"]);
    assert.deepEqual(addresses("name,reflector_ip\nQuad9,9.9.9.9\n"), ["9.9.9.9"]);
    assert.deepEqual(addresses("address,version\n9.9.9.9,IPv4\n::ffff:8.8.8.8,4\n"), ["9.9.9.9", "8.8.8.8"]);
    assert.deepEqual(faults("reflector_ip,ip_version,description,region\n9.9.9.9,4,Quad9,eu\n"), []);
  });

  it("tells of everything that is wrong, with its place", () => {
    const text = `${HEADER}dns.example,4,a name
9.9.9,4,short
10.0.0.0/8,4,a network
224.0.0.1,4,many
0.0.0.0,4,none
255.255.255.255,4,all
fe80::1,6,next door
ff02::1,6,many
::,6,any
,4,empty
9.9.9.9,6,the other
2620:fe::fe,4,the other
9.9.9.9,four,word
1.1.1.1,4,good
2606:4700:4700:0::1111,6,good
1.1.1.1,4,twice
2606:4700:4700::1111,6,twice
8.8.8.8,4,"open
`;
    assert.deepEqual(addresses(text), ["1.1.1.1", "2606:4700:4700::1111"]);
    assert.deepEqual(faults(text), [
      "19:11 AUTORATE_REFLECTORS_SYNTAX Cannot parse the list of reflectors: the quote that opens here is never closed",
      '2:1 AUTORATE_REFLECTOR_ADDRESS "dns.example" cannot be a reflector: it is no IPv4 or IPv6 address',
      '3:1 AUTORATE_REFLECTOR_ADDRESS "9.9.9" cannot be a reflector: it is no IPv4 or IPv6 address',
      '4:1 AUTORATE_REFLECTOR_ADDRESS "10.0.0.0/8" cannot be a reflector: it is a network',
      '5:1 AUTORATE_REFLECTOR_ADDRESS "224.0.0.1" cannot be a reflector: it is a multicast address',
      '6:1 AUTORATE_REFLECTOR_ADDRESS "0.0.0.0" cannot be a reflector: it stands for this host',
      '7:1 AUTORATE_REFLECTOR_ADDRESS "255.255.255.255" cannot be a reflector: it is reserved or broadcast',
      '8:1 AUTORATE_REFLECTOR_ADDRESS "fe80::1" cannot be a reflector: it is link-local and says nothing of the line',
      '9:1 AUTORATE_REFLECTOR_ADDRESS "ff02::1" cannot be a reflector: it is a multicast address',
      '10:1 AUTORATE_REFLECTOR_ADDRESS "::" cannot be a reflector: it stands for any address',
      '11:1 AUTORATE_REFLECTOR_ADDRESS "" cannot be a reflector: the cell is empty',
      '12:9 AUTORATE_REFLECTOR_VERSION The row says IP version "6", but 9.9.9.9 is an IPv4 address',
      '13:13 AUTORATE_REFLECTOR_VERSION The row says IP version "4", but 2620:fe::fe is an IPv6 address',
      '14:9 AUTORATE_REFLECTOR_VERSION The row says IP version "four", but 9.9.9.9 is an IPv4 address',
      "17:1 AUTORATE_REFLECTOR_DUPLICATE 1.1.1.1 is listed twice, first on line 15",
      "18:1 AUTORATE_REFLECTOR_DUPLICATE 2606:4700:4700::1111 is listed twice, first on line 16",
    ]);
  });

  it("is at fault when there is none in it", () => {
    for (const text of ["", HEADER, "# nothing\n"])
      assert.deepEqual(
        parseReflectors(text, "r.csv").problems.map(({ code }) => code),
        ["AUTORATE_REFLECTORS_EMPTY"],
      );
  });

  it("may be long", () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${11 + (i >> 16)}.1.${(i >> 8) & 255}.${i & 255},4,x`);
    assert.equal(addresses(HEADER + rows.join("\n")).length, 30_000);
  });
});
