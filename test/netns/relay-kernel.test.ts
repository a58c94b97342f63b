/** The relay's kernel plane on the real kernel: frames in at one veth, copies out at others. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { RelayKernelLab } from "../helpers/relay-kernel-lab.ts";
import { checkFds } from "../helpers/leaks.ts";
import { udpFrame } from "../helpers/udp-frame.ts";

checkFds();

const SOURCE = "10.0.0.2";
const IN = "239.1.1.1";
const OUT = "239.2.2.2";

const bytes = (size: number, seed = 0): Buffer => {
  const block = createHash("sha256").update(String(seed)).digest();
  return Buffer.alloc(size, block);
};
const frame = (payload: Uint8Array, more: Partial<Parameters<typeof udpFrame>[0]> = {}): Buffer =>
  udpFrame({ from: SOURCE, to: IN, payload, ...more });

describe("the relay's kernel plane", () => {
  test("1: a copy has the output's addresses, port and TTL, the same payload, and right checksums", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const behind = lab.listenBehind("in0");
    const output = lab.output("o1", OUT, { dscp: 46 });
    await lab.carry(lab.rule(1, IN, [output]));
    const payload = bytes(1234);
    lab.send([frame(payload, { tos: 0x29 })]);
    const [seen] = await lab.received("s1", OUT, 1);
    assert.deepEqual(seen, {
      mac: "01005e020202",
      ownMac: Buffer.from(output.ownMac!).toString("hex"),
      from: "10.0.1.1",
      to: OUT,
      sourcePort: 40_000,
      port: 6000,
      ttl: 7,
      // Congestion is the packet's.
      tos: (46 << 2) | 1,
      payload,
      sum: "right",
      headerSum: true,
    });
    assert.deepEqual(behind.take(), []);
    assert.deepEqual(lab.counted(1), { packets: 1, bytes: 1234 });
    assert.deepEqual(lab.counted(output.slot), { packets: 1, bytes: 1234 });
  });
});
