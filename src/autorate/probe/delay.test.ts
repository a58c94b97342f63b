import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY, type IcmpReply } from "../../linux/icmp/codec.ts";
import { delayOf } from "./delay.ts";
import type { Moment } from "./wall.ts";

const MIDNIGHT = 20_000 * DAY;
/** So many milliseconds after midnight, by both clocks. */
const at = (time: number, wall = time): Moment => ({ monotonic: 5_000_000 + time, wall: MIDNIGHT + wall });
const stamped = (token: number, receive: number, transmit = receive): IcmpReply => ({
  kind: "timestamp",
  sequence: 1,
  token,
  receive,
  transmit,
});

describe("delays", () => {
  it("are parted by the stamps", () => {
    assert.deepEqual(delayOf(at(1000.25), at(1040.5), stamped(1000, 1030)), {
      rtt: 40.25,
      owd: { upload: 29.75, download: 10.5 },
      copied: false,
    });
    assert.deepEqual(delayOf(at(1000), at(1050), stamped(1000, 3030, 3035)).owd, { upload: 2030, download: -1985 });
  });

  it("of echoes are not", () => {
    assert.deepEqual(delayOf(at(1000), at(1040), { kind: "echo", sequence: 1, token: 5 }), { rtt: 40 });
  });

  it("go across midnight, whoever passes it first", () => {
    const around = delayOf(at(DAY - 10), at(DAY + 10), stamped(DAY - 10, DAY - 1));
    assert.deepEqual(around.owd, { upload: 9, download: 11 });
    const theirs = delayOf(at(DAY - 100), at(DAY - 80), stamped(DAY - 100, 500));
    assert.deepEqual(theirs.owd, { upload: 600, download: -580 });
  });

  it("are not known by stamps that cannot be", () => {
    const fault = (receive: number, transmit = receive): unknown =>
      delayOf(at(1000), at(1050), stamped(1000, receive, transmit)).fault;
    assert.equal(fault(0), "zero-stamp");
    assert.equal(fault(2 ** 31 + 1020), "nonstandard-time");
    assert.equal(fault(DAY), "stamp-range");
    assert.equal(fault(1030, 1020), "hold", "answered before it was asked");
    assert.equal(fault(1000, 1052), "hold", "held for longer than the round trip");
    assert.equal(fault(1010, 1040), undefined);
    assert.equal(delayOf(at(1000), at(3000), stamped(1000, 1010, 1111)).fault, "hold", "held for long");
  });

  it("are not known, through no fault of theirs, when our clock was set meanwhile", () => {
    assert.deepEqual(delayOf(at(1000), at(1040, 4600), stamped(1000, 1020)), { rtt: 40 });
    assert.deepEqual(delayOf(at(1000), at(1040, 900), stamped(1000, 1020)), { rtt: 40 });
  });

  it("tell of who gives our stamp back", () => {
    assert.equal(delayOf(at(1000), at(1040), stamped(1000, 1000)).copied, true);
    assert.equal(delayOf(at(1000.4), at(1000.9), stamped(1000, 1000)).copied, false, "it may be next door");
  });
});
