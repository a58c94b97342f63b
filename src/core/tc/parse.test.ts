import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { qdiscs } from "../../../test/helpers/tc.ts";
import { parseQdisc } from "./parse.ts";
import { sameQdisc } from "./qdisc.ts";
import { formatQdisc } from "./text.ts";

const problemOf = (text: string): string => {
  const result = parseQdisc(text);
  assert.ok("problem" in result, `"${text}" was read as ${JSON.stringify(result)}`);
  return result.problem;
};

test("what is written is read back", () => {
  fc.assert(
    fc.property(qdiscs, (qdisc) => {
      const read = parseQdisc(formatQdisc(qdisc));
      assert.ok(!("problem" in read), JSON.stringify(read));
      // tc has no word for "no automatic rate", and `raw` means noatm too unless another cell mode follows.
      const { autorateIngress: _, ...rest } = { autorateIngress: false, ...qdisc };
      const expected = "autorateIngress" in qdisc && qdisc.autorateIngress ? qdisc : rest;
      const raw = qdisc.kind === "cake" && qdisc.overhead === "raw" && qdisc.atm === undefined;
      assert.deepEqual(read, raw ? { ...expected, atm: "noatm" } : expected);
      assert.ok(sameQdisc(qdisc, read));
    }),
  );
});

describe("cake's words", () => {
  const cases: readonly (readonly [words: string, options: object])[] = [
    ["", {}],
    ["diffserv4 nat ack-filter rtt 50ms", { diffserv: "diffserv4", nat: true, ackFilter: "ack-filter", rtt: 50_000 }],
    ["bandwidth 100mbit", { bandwidth: 1e8 }],
    ["bandwidth 100mbit unlimited", {}],
    ["nonat nowash no-split-gso", { nat: false, wash: false, splitGso: false }],
    ["datacentre", { rtt: 100 }],
    ["lan", { rtt: 1000 }],
    ["metro", { rtt: 10_000 }],
    ["regional", { rtt: 30_000 }],
    ["internet", { rtt: 100_000 }],
    ["oceanic", { rtt: 300_000 }],
    ["satellite", { rtt: 1_000_000 }],
    ["interplanetary", { rtt: 1_000_000_000 }],
    ["raw", { overhead: "raw", atm: "noatm" }],
    ["conservative", { overhead: 48, atm: "atm" }],
    ["ethernet", { overhead: 38, mpu: 84 }],
    ["ethernet ether-vlan ether-vlan", { overhead: 46, mpu: 84 }],
    ["docsis", { overhead: 18, mpu: 64, atm: "noatm" }],
    ["docsis overhead 5", { overhead: 5, mpu: 64, atm: "noatm" }],
    ["overhead 5 docsis", { overhead: 23, mpu: 64, atm: "noatm" }],
    ["pppoe-ptm", { overhead: 30, atm: "ptm" }],
    ["bridged-ptm", { overhead: 22, atm: "ptm" }],
    ["memlimit 32mb fwmark 0xff", { memlimit: 32 << 20, fwmark: 255 }],
  ];
  for (const [words, options] of cases) {
    test(`cake ${words}`, () => assert.deepEqual(parseQdisc(`cake ${words}`), { kind: "cake", ...options }));
  }
});

test("htb reads its default class as hex, with 0x or without", () => {
  assert.deepEqual(parseQdisc("htb default 10"), { kind: "htb", default: 16 });
  assert.deepEqual(parseQdisc("htb default 0x2 r2q 10"), { kind: "htb", default: 2, r2q: 10 });
  assert.deepEqual(parseQdisc("htb"), { kind: "htb", default: 0 });
});

test("what cannot be read is quoted, with what would be possible", () => {
  assert.match(
    problemOf("cakes"),
    /^"cakes" is no qdisc \(did you mean "cake"\?\); possible are cake, fq_codel, pfifo, /,
  );
  assert.match(problemOf(""), /^"" is no qdisc; possible are cake, /);
  assert.match(
    problemOf("cake difserv4"),
    /^"difserv4" is no option of cake \(did you mean "diffserv4"\?\); possible are bandwidth, /,
  );
  assert.equal(problemOf("cake rtt"), '"rtt" needs a time such as 50ms');
  assert.equal(problemOf("cake rtt soon"), '"rtt" is "soon", wanted a time such as 50ms');
  assert.equal(problemOf("cake bandwidth 0"), '"bandwidth" is "0", wanted a rate above 0 such as 100mbit');
  assert.equal(problemOf("cake overhead 300"), '"overhead" is "300", wanted whole bytes from -64 to 256');
  assert.equal(problemOf("cake raw overhead 4"), '"overhead" after "raw" is not supported: "raw" stands alone');
  assert.equal(problemOf("cake raw ethernet"), '"ethernet" after "raw" is not supported: "raw" stands alone');
  assert.equal(problemOf("fq_codel flows 0"), '"flows" is "0", wanted a whole number from 1 to 65536');
  assert.equal(problemOf("mq fast"), '"fast" is too much: mq takes no options');
  assert.equal(problemOf("bfifo"), "bfifo needs limit");
  assert.equal(problemOf("tbf rate 1mbit"), "tbf needs burst and limit");
  assert.equal(problemOf("tbf rate 1mbit burst 2kb limit 3kb peakrate 2mbit"), "tbf needs peakrate and mtu together");
});
