import assert from "node:assert/strict";
import { test } from "node:test";
import type { Judged } from "../model.ts";
import { swapped, turned } from "./facing.ts";
import type { Ear } from "./link.ts";

const SAMPLE: Judged = {
  reflector: "100.64.0.9",
  mode: "timestamp",
  sent: 1,
  received: 2,
  owd: { download: 3, upload: 40 },
  rtt: 43,
  delta: { download: 0, upload: 37 },
};

test("behind the shaper the way there is the download", () => {
  const called: string[] = [];
  const outstanding = [{ reflector: "100.64.0.9", sent: 1 }];
  const ear: Ear = {
    take: () => ({ samples: [SAMPLE], outstanding }),
    deltas: (now) => ({ download: [now], upload: [30, 31] }),
    pause: () => called.push("pause"),
    resume: () => called.push("resume"),
    reselect: () => called.push("reselect"),
  };
  const heard = turned(ear);
  assert.deepEqual(heard.take(), {
    samples: [{ ...SAMPLE, owd: { download: 40, upload: 3 }, delta: { download: 37, upload: 0 } }],
    outstanding,
  });
  assert.deepEqual(heard.deltas(7), { download: [30, 31], upload: [7] });
  heard.pause();
  heard.resume();
  heard.reselect();
  assert.deepEqual(called, ["pause", "resume", "reselect"]);
  assert.deepEqual(swapped(swapped(SAMPLE.owd)), SAMPLE.owd);
});
