import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PROBE_MODES, type ProbeMode } from "../model.ts";
import type { Fault } from "./fault.ts";
import { hear, kindsToAsk, type LadderState, modesFor, passTime, startLadder, wakeLadder } from "./ladder.ts";

type Answers = (time: number) => { readonly timestamp?: Fault | true; readonly echo?: true };

/** Asks ten times a second whatever the ladder asks for, and hears what `answers` says. */
function climb(
  state: LadderState,
  from: number,
  seconds: number,
  answers: Answers,
  modes: readonly ProbeMode[] = PROBE_MODES,
): LadderState {
  let now = state;
  for (let time = from; time < from + seconds; time = Math.round(10 * time + 1) / 10) {
    now = passTime(now, modes, time);
    const given = answers(time);
    for (const kind of kindsToAsk(now, modes)) {
      const answer = given[kind];
      if (answer) now = hear(now, modes, kind, time, answer === true ? undefined : answer);
    }
  }
  return now;
}

const BOTH: Answers = () => ({ timestamp: true, echo: true });
const start = startLadder(PROBE_MODES, 0);

describe("the start", () => {
  it("asks in every way, and settles on the best at once when it is answered", () => {
    assert.deepEqual(kindsToAsk(start, PROBE_MODES), ["timestamp", "echo"]);
    const settled = climb(start, 0, 0.1, BOTH);
    assert.equal(settled.mode, "timestamp");
    assert.deepEqual(kindsToAsk(settled, PROBE_MODES), ["timestamp"]);
    assert.equal(settled.reason, undefined);
  });

  it("waits two seconds for the best before it takes the next", () => {
    const echo: Answers = () => ({ echo: true });
    assert.equal(climb(start, 0, 1.9, echo).mode, undefined);
    const settled = climb(start, 0, 2.2, echo);
    assert.deepEqual([settled.mode, settled.reason], ["echo", "it does not answer timestamps"]);
    assert.deepEqual(kindsToAsk(settled, PROBE_MODES), ["echo"]);
  });

  it("goes on while nothing is answered", () => {
    const silent = climb(start, 0, 60, () => ({}));
    assert.deepEqual(kindsToAsk(silent, PROBE_MODES), ["timestamp", "echo"]);
    assert.equal(climb(silent, 60, 0.2, BOTH).mode, "timestamp");
  });

  it("is short where there is one way only", () => {
    assert.deepEqual(modesFor(PROBE_MODES, 6), ["echo"]);
    assert.equal(startLadder(["echo"], 0).mode, "echo");
    assert.equal(startLadder(["timestamp", "timestamp-rtt"], 0).mode, "timestamp");
    const none = startLadder(modesFor(["timestamp"], 6), 0);
    assert.deepEqual([none.mode, kindsToAsk(none, []), none.reason !== undefined], [undefined, [], true]);
  });

  it("takes the user's order", () => {
    const modes: readonly ProbeMode[] = ["echo", "timestamp"];
    assert.equal(climb(startLadder(modes, 0), 0, 0.1, BOTH, modes).mode, "echo");
    const only = climb(startLadder(modes, 0), 0, 2.5, () => ({ timestamp: true }), modes);
    assert.equal(only.mode, "timestamp");
  });
});

describe("unfit stamps", () => {
  const faulty: Answers = () => ({ timestamp: "zero-stamp", echo: true });

  it("make it round trips after three within a minute", () => {
    const settled = climb(start, 0, 5, BOTH);
    const two = climb(settled, 5, 0.2, faulty);
    assert.equal(two.mode, "timestamp");
    const three = climb(two, 6, 0.1, faulty);
    assert.deepEqual([three.mode, three.reason], ["timestamp-rtt", "its stamps are zero"]);
    // Midnight, twice in two days.
    let rare = settled;
    for (const time of [100, 170, 240, 310]) rare = climb(rare, time, 0.1, faulty);
    assert.equal(rare.mode, "timestamp");
  });

  it("are tried again after ten minutes, and later each time", () => {
    let state = climb(start, 0, 1, faulty);
    const falls: number[] = [];
    let before = state.mode;
    for (let time = 1; time < 6000; time += 0.5) {
      state = climb(state, time, 0.1, faulty);
      if (state.mode === "timestamp-rtt" && before === "timestamp") falls.push(time);
      before = state.mode;
    }
    const waits = falls.map((time, i) => Math.round((time - (falls[i - 1] ?? 0)) / 10) * 10);
    assert.deepEqual(waits, [600, 1200, 2400]);
    const healed = climb(state, 6000, 4000, BOTH);
    assert.deepEqual([healed.mode, healed.reason], ["timestamp", undefined]);
  });

  it("make it echoes where round trips of timestamps are not wanted", () => {
    const modes: readonly ProbeMode[] = ["timestamp", "echo"];
    const settled = climb(startLadder(modes, 0), 0, 2, faulty, modes);
    assert.deepEqual([settled.mode, settled.reason], ["echo", "its stamps are zero"]);
  });

  it("leave nothing where nothing else is wanted, until they are tried again", () => {
    const modes: readonly ProbeMode[] = ["timestamp"];
    const none = climb(startLadder(modes, 0), 0, 30, faulty, modes);
    assert.deepEqual([none.mode, none.reason, kindsToAsk(none, modes)], [undefined, "its stamps are zero", []]);
    assert.equal(climb(none, 595, 10, BOTH, modes).mode, "timestamp");
  });

  it("of which one is enough are believed at once", () => {
    assert.equal(climb(start, 0, 0.1, () => ({ timestamp: "copied" })).mode, "timestamp-rtt");
  });
});

describe("silence", () => {
  const settled = climb(start, 0, 10, BOTH);

  it("of five seconds makes it asked in every way again", () => {
    const quiet = climb(settled, 10, 4.5, () => ({}));
    assert.deepEqual(kindsToAsk(quiet, PROBE_MODES), ["timestamp"]);
    const longer = climb(quiet, 14.5, 1, () => ({}));
    assert.deepEqual(kindsToAsk(longer, PROBE_MODES), ["timestamp", "echo"]);
    assert.equal(longer.mode, "timestamp");
    const back = climb(longer, 15.5, 0.2, BOTH);
    assert.deepEqual(kindsToAsk(back, PROBE_MODES), ["timestamp"]);
  });

  it("of timestamps alone makes it echoes, and timestamps are tried again", () => {
    const filtered = climb(settled, 10, 9, () => ({ echo: true }));
    assert.deepEqual([filtered.mode, filtered.reason], ["echo", "it does not answer timestamps"]);
    const early = climb(filtered, 19, 500, BOTH);
    assert.equal(early.mode, "echo");
    const later = climb(early, 519, 120, BOTH);
    assert.deepEqual([later.mode, later.reason], ["timestamp", undefined]);
    const still = climb(early, 519, 120, () => ({ echo: true }));
    assert.deepEqual([still.mode, still.reason], ["echo", "it does not answer timestamps"]);
  });

  it("of ours is none of its", () => {
    const woken = wakeLadder(settled, 1000);
    assert.deepEqual(kindsToAsk(passTime(woken, PROBE_MODES, 1001), PROBE_MODES), ["timestamp"]);
    const trying = wakeLadder(start, 1000);
    assert.equal(passTime(trying, PROBE_MODES, 1001).trial?.until, 1002);
  });
});
