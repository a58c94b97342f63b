import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bitsPerSecond,
  formatRate,
  formatTime,
  humanBytes,
  humanRate,
  microseconds,
  parseRate,
  parseSize,
  parseTime,
  wholeBytesRate,
} from "./units.ts";

test("parseRate() reads tc's words: decimal bits, binary bits, and bytes per second", () => {
  const cases: [string, number | undefined][] = [
    ["8", 8],
    ["2.5mbit", 2_500_000],
    ["1Gbit", 1e9],
    ["1 gbit", 1e9],
    ["100kbps", 800_000],
    ["1kibit", 1024],
    ["1mibps", 8 * 2 ** 20],
    ["10 horses", undefined],
    ["-1mbit", undefined],
    ["", undefined],
    ["0x10", undefined],
  ];
  for (const [text, wanted] of cases) assert.equal(parseRate(text), wanted, text);
});

test("parseSize() and parseTime() take tc's bases: 1024 for sizes, microseconds for bare times", () => {
  assert.equal(parseSize("15kb"), 15 * 1024);
  assert.equal(parseSize("1600b"), 1600);
  assert.equal(parseTime("300"), 300);
  assert.equal(parseTime("300ms"), 300_000);
  assert.equal(parseTime("1.5s"), 1_500_000);
});

test("formatRate() and formatTime() are exact: parsing gives back the same number", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (rate) => parseRate(formatRate(bitsPerSecond(rate))) === rate),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (time) => parseTime(formatTime(microseconds(time))) === time),
  );
  assert.equal(formatRate(bitsPerSecond(2_500_000)), "2500kbit");
});

test("wholeBytesRate() loses less than 8 bit/s", () => {
  assert.equal(wholeBytesRate(bitsPerSecond(1_000_007)), 1_000_000);
});

test("humanRate() and humanBytes() round for people", () => {
  assert.equal(humanRate(2_500_000), "2.5 Mbit/s");
  assert.equal(humanRate(999), "999 bit/s");
  assert.equal(humanRate(123_456_789), "123.5 Mbit/s");
  assert.equal(humanBytes(1023), "1023 B");
  assert.equal(humanBytes(1_600_000), "1.53 MiB");
});
