import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { checksum } from "../packet/frame.ts";
import { DAY, dayDifference, decodeReply, encodeRequest, stampFault, timeOfDay } from "./codec.ts";

/** An IPv4 header without options for so many bytes. */
function inIpv4(icmp: Buffer, options = 0): Buffer {
  const header = Buffer.alloc(20 + options);
  header.writeUInt8(0x40 | (header.length / 4), 0);
  header.writeUInt16BE(header.length + icmp.length, 2);
  header.writeUInt8(1, 9);
  return Buffer.concat([header, icmp]);
}

/** A timestamp reply with its checksum. */
function stamps(receive: number, transmit: number, change: (icmp: Buffer) => void = () => undefined): Buffer {
  const icmp = Buffer.alloc(20);
  icmp.writeUInt8(14, 0);
  icmp.writeUInt16BE(0x1234, 4);
  icmp.writeUInt16BE(7, 6);
  icmp.writeUInt32BE(80_000_250, 8);
  icmp.writeUInt32BE(receive, 12);
  icmp.writeUInt32BE(transmit, 16);
  change(icmp);
  icmp.writeUInt16BE(checksum(icmp), 2);
  return icmp;
}

const REPLY = { kind: "timestamp", sequence: 7, token: 80_000_250, receive: 11, transmit: 12 };

describe("requests", () => {
  it("stand byte for byte as the standards say", () => {
    const bytes = encodeRequest({ family: 4, kind: "timestamp", id: 0x1234, sequence: 0, token: 80_000_250 });
    assert.equal(bytes.toString("hex"), "0d00270d1234000004c4b4fa0000000000000000");
    const echo = encodeRequest({ family: 4, kind: "echo", id: 1, sequence: 2, token: 3 });
    assert.equal(echo.toString("hex"), "0800f7f9000100020000000300000000" + "00000000");
    const six = encodeRequest({ family: 6, kind: "echo", id: 1, sequence: 2, token: 3 });
    assert.equal(six.toString("hex"), "80000000000100020000000300000000" + "00000000");
  });

  it("sum up to nothing whatever is in them, with every carry folded", () => {
    const u16 = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(u16, u16, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (id, sequence, token) => {
        assert.equal(checksum(encodeRequest({ family: 4, kind: "timestamp", id, sequence, token })), 0);
      }),
    );
    // Sums whose first fold carries again.
    assert.equal(checksum(encodeRequest({ family: 4, kind: "echo", id: 0xffff, sequence: 0xf7ff, token: 0xffff })), 0);
  });

  it("are refused for timestamps in ICMPv6", () => {
    assert.throws(() => encodeRequest({ family: 6, kind: "timestamp", id: 1, sequence: 1, token: 1 }), /has none/);
  });
});

describe("replies", () => {
  it("are read behind an IPv4 header of any length", () => {
    assert.deepEqual(decodeReply(4, inIpv4(stamps(11, 12)), 0x1234), REPLY);
    assert.deepEqual(decodeReply(4, inIpv4(stamps(11, 12), 40), 0x1234), REPLY);
    const padded = Buffer.concat([inIpv4(stamps(11, 12)), Buffer.alloc(6)]);
    assert.deepEqual(decodeReply(4, padded, 0x1234), REPLY);
  });

  it("are read of echoes of both families", () => {
    const echo = encodeRequest({ family: 4, kind: "echo", id: 9, sequence: 65_535, token: 2 ** 32 - 1 });
    echo.writeUInt8(0, 0);
    echo.writeUInt16BE(0, 2);
    echo.writeUInt16BE(checksum(echo), 2);
    const wanted = { kind: "echo", sequence: 65_535, token: 2 ** 32 - 1 };
    assert.deepEqual(decodeReply(4, inIpv4(echo), 9), wanted);
    const six = encodeRequest({ family: 6, kind: "echo", id: 9, sequence: 65_535, token: 2 ** 32 - 1 });
    six.writeUInt8(129, 0);
    assert.deepEqual(decodeReply(6, six, 9), wanted);
  });

  it("are refused by name", () => {
    const good = stamps(11, 12);
    const cases: readonly (readonly [string, Buffer])[] = [
      ["length", Buffer.alloc(0)],
      ["length", Buffer.from("4f", "hex")],
      ["length", inIpv4(good).subarray(0, 39)],
      ["length", inIpv4(Buffer.concat([good, Buffer.alloc(4)]))],
      ["length", inIpv4(good.subarray(0, 16))],
      ["length", inIpv4(good.subarray(0, 6))],
      ["length", Buffer.concat([Buffer.from([0x65]), inIpv4(good).subarray(1)])],
      ["length", Buffer.concat([Buffer.from([0x44]), inIpv4(good).subarray(1)])],
      ["type", inIpv4(stamps(11, 12, (icmp) => icmp.writeUInt8(13, 0)))],
      ["type", inIpv4(stamps(11, 12, (icmp) => icmp.writeUInt8(129, 0)))],
      ["code", inIpv4(stamps(11, 12, (icmp) => icmp.writeUInt8(1, 1)))],
      ["id", inIpv4(stamps(11, 12, (icmp) => icmp.writeUInt16BE(0x1235, 4)))],
      ["checksum", inIpv4(Buffer.concat([good.subarray(0, 19), Buffer.from([13])]))],
    ];
    for (const [reason, packet] of cases) assert.equal(decodeReply(4, packet, 0x1234), reason, packet.toString("hex"));
    assert.equal(decodeReply(6, stamps(11, 12), 0x1234), "type");
  });

  it("never throw and never read past the end, whatever arrives", () => {
    fc.assert(
      fc.property(fc.constantFrom(4 as const, 6 as const), fc.uint8Array({ maxLength: 80 }), (family, bytes) => {
        const read = decodeReply(family, Buffer.from(bytes), 0);
        assert.ok(typeof read === "string" || read.sequence <= 0xffff);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("stamps", () => {
  it("are at fault when they cannot be times of day", () => {
    assert.equal(stampFault(1, DAY - 1), undefined);
    assert.equal(stampFault(0, 5), "zero-stamp");
    assert.equal(stampFault(5, 0), "zero-stamp");
    assert.equal(stampFault(DAY, 5), "stamp-range");
    assert.equal(stampFault(2 ** 31 + 5, 5), "nonstandard-time");
    assert.equal(stampFault(5, 2 ** 32 - 1), "nonstandard-time");
  });

  it("differ the short way round", () => {
    assert.equal(dayDifference(5, DAY - 5), 10);
    assert.equal(dayDifference(DAY - 5, 5), -10);
    assert.equal(dayDifference(DAY / 2, 0), DAY / 2);
    assert.equal(dayDifference(0, DAY / 2), DAY / 2);
    assert.equal(dayDifference(3 * DAY + 1.5, 1), 0.5);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY - 1 }), fc.integer({ min: 0, max: DAY - 1 }), (a, b) => {
        const difference = dayDifference(a, b);
        assert.ok(difference > -DAY / 2 && difference <= DAY / 2);
        assert.equal((b + difference + DAY) % DAY, a);
      }),
    );
    assert.equal(timeOfDay(1_700_000_000_250.5), 80_000_250.5);
  });
});
