import assert from "node:assert/strict";
import { test } from "node:test";
import { SluiceError } from "../../core/errors.ts";
import { type GenerateRequest, readGenerate, readSink } from "./traffic-request.ts";

const REQUEST: GenerateRequest = { places: ["239.1.1.1:5000@eth0"], rate: "1000", size: 1400, seconds: 10, ttl: 8 };

/** The messages of what is wrong. */
function faults(body: () => unknown): string[] {
  try {
    body();
  } catch (error) {
    if (error instanceof SluiceError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

test("a rate is a number of packets with k or M, or as many as go", () => {
  const rate = (text: string) => readGenerate({ ...REQUEST, rate: text }).rate;
  assert.deepEqual(
    ["1", "0.5", "250k", "1.5M", "max"].map((text) => rate(text)),
    [1, 0.5, 250e3, 1.5e6, Infinity],
  );
  for (const text of ["", "0", "-1", "1G", "fast", "1e9", "101M"])
    assert.match(faults(() => rate(text)).join(), /wanted packets a second/, text);
});

test("it ends with its time, or with its packets however long they take", () => {
  const { packets, seconds } = readGenerate(REQUEST);
  assert.deepEqual([packets, seconds], [Infinity, 10]);
  const counted = readGenerate({ ...REQUEST, packets: 5 });
  assert.deepEqual([counted.packets, counted.seconds], [5, Infinity]);
});

test("everything that is wrong is told at once", () => {
  const wrong: GenerateRequest = {
    places: ["eth0", "239.1.1.1:5000@eth0", "239.1.1.1@eth0"],
    rate: "fast",
    size: 31,
    seconds: 0,
    ttl: 1.5,
    packets: 0,
    source: "fd00::1",
  };
  const said = faults(() => readGenerate(wrong));
  assert.deepEqual(
    [
      /"eth0"/,
      /239\.1\.1\.1@eth0/,
      /rate/,
      /size is 31/,
      /TTL is 1\.5/,
      /time is 0/,
      /packets is 0/,
      /another IP version/,
    ].map((wanted, index) => wanted.test(said[index] ?? "")),
    Array.from({ length: 8 }, () => true),
    said.join("\n"),
  );
  assert.equal(faults(() => readSink({ places: ["x"], seconds: -1, idle: Number.NaN })).length, 3);
});
