import assert from "node:assert/strict";
import { test } from "node:test";
import { CSV_HEADER, csvRow, percentF } from "./csv.ts";

test("numbers are rounded as C does: ties to the even digit", () => {
  assert.equal(percentF(1 / 128), "0.007812");
  assert.equal(percentF(3 / 128), "0.023438");
  assert.equal(percentF(-1 / 128), "-0.007812");
  assert.equal(percentF(0.5), "0.500000");
  assert.equal(percentF(1e15), "1000000000000000.000000");
});

test("a row has the columns that the header names", () => {
  const row = csvRow({
    seconds: 1_700_000_000,
    nanoseconds: 5,
    load: { download: 0.9, upload: 0.1 },
    delta: { download: 3.5, upload: 1.75 },
    rate: { download: 32_553, upload: 6000.9 },
  });
  assert.equal(row, "1700000000,5,0.900000,0.100000,3.500000,1.750000,32553,6000");
  assert.equal(row.split(",").length, CSV_HEADER.split(",").length);
});
