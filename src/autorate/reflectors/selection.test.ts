import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  beginSearch,
  choose,
  drawWithReplacement,
  endSearch,
  firstSelection,
  isSearchDue,
  replacePeer,
  type SelectionState,
  shuffled,
  upstreamWait,
  wish,
} from "./selection.ts";

const OPTIONS = { wanted: 5, reselect: 900, interval: 0.3 };
const pool = (size: number): string[] => Array.from({ length: size }, (_, i) => `192.0.2.${i + 1}`);

/** Numbers in [0, 1) that are the same in every run. */
function numbers(): () => number {
  let seed = 7;
  return () => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

/** One search in which these answer, the first the nearest. */
function search(state: SelectionState, now: number, answering: (address: string) => boolean): SelectionState {
  const random = numbers();
  const begun = beginSearch(state, pool(40), OPTIONS, now, random);
  const answered = begun.search!.candidates.filter((address) => answering(address));
  const scores = new Map(answered.map((address) => [address, Number(address.split(".")[3])]));
  return endSearch(begun, scores, OPTIONS, begun.search!.until, random);
}

describe("the first ones", () => {
  it("are some of the list, and others are looked for at once", () => {
    const state = firstSelection(pool(40), OPTIONS, 100, numbers());
    assert.equal(new Set(state.peers).size, 5);
    assert.ok(isSearchDue(state, 100));
  });

  it("are the whole list when it is short, for good", () => {
    for (const size of [1, 5]) {
      const state = firstSelection(pool(size), OPTIONS, 0, numbers());
      assert.deepEqual(state.peers, pool(size));
      assert.ok(!isSearchDue(wish(state), 1e9));
    }
  });
});

describe("a search", () => {
  const first = firstSelection(pool(40), OPTIONS, 0, numbers());

  it("asks the present ones and twenty others, each once, for a second and a half or three probes", () => {
    const { search: begun } = beginSearch(first, pool(40), OPTIONS, 10, numbers());
    assert.deepEqual(begun!.candidates.slice(0, 5), first.peers);
    assert.equal(new Set(begun!.candidates).size, 25);
    assert.equal(begun!.until, 10 + Math.PI / 2);
    assert.equal(beginSearch(first, pool(40), { ...OPTIONS, interval: 1 }, 10, numbers()).search!.until, 13.5);
    const few = beginSearch(first, pool(8), OPTIONS, 10, numbers()).search!;
    assert.ok(few.candidates.length <= 13);
  });

  it("takes half of the nearest", () => {
    const { peers } = search(first, 0, () => true);
    const candidates = beginSearch(first, pool(40), OPTIONS, 0, numbers()).search!.candidates;
    const nearest = candidates
      .map((a) => Number(a.split(".")[3]))
      .toSorted((a, b) => a - b)
      .slice(0, 10);
    assert.equal(new Set(peers).size, 5);
    for (const peer of peers) assert.ok(nearest.includes(Number(peer.split(".")[3])), peer);
  });

  it("that finds few keeps the number, once those few answer no more too", () => {
    const some = search(first, 0, (address) => address === first.peers[3] || address === first.peers[1]);
    assert.deepEqual(some.peers.toSorted(), first.peers.toSorted());
    const none = search(some, 100, () => false);
    assert.deepEqual(none.peers, some.peers);
    const all = search(none, 200, () => true);
    assert.equal(new Set(all.peers).size, 5);
  });

  it("comes by itself, less and less often", () => {
    let state = first;
    const times: number[] = [];
    for (let now = 0; now < 4000; now += 0.5) {
      if (!isSearchDue(state, now)) continue;
      times.push(now);
      state = search(state, now, () => true);
    }
    const waits = times.slice(1).map((time, i) => Math.round(time - times[i]! - Math.PI / 2));
    assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it("is made once for many wishes, after a gap that doubles while they do not end", () => {
    let state = search(first, 0, () => true);
    const times: number[] = [];
    for (let now = 2; now < 700; now += 0.5) {
      state = wish(wish(state));
      if (!isSearchDue(state, now)) continue;
      times.push(now);
      state = search(state, now, () => false);
    }
    const waits = times.slice(1).map((time, i) => Math.round(time - times[i]! - Math.PI / 2));
    assert.ok(times[0]! >= 5 + Math.PI / 2 && times[0]! < 8, `the first at ${times[0]}`);
    assert.deepEqual(waits.slice(0, 3), [5, 10, 20]);
    assert.ok(times.length <= 9, `${times.length} searches in 700 s`);
    // Once nobody wishes any more, the gap is short again.
    for (let now = 700; now < 6000; now += 0.5) if (isSearchDue(state, now)) state = search(state, now, () => true);
    assert.equal(state.gap, 5);
  });

  it("is not begun while one is under way", () => {
    const begun = beginSearch(first, pool(40), OPTIONS, 0, numbers());
    assert.ok(!isSearchDue(wish(begun), 1e6));
    assert.equal(endSearch(first, new Map(), OPTIONS, 0, numbers()), first);
  });
});

describe("parts of sqm-autorate", () => {
  it("draw, choose and wait as it does", () => {
    assert.deepEqual(
      drawWithReplacement(["a"], ["a", "b", "c"], 3, () => 0.99),
      ["a", "c"],
    );
    assert.deepEqual(
      shuffled(["a", "b", "c"], () => 0),
      ["b", "c", "a"],
    );
    const scores = new Map([
      ["b", 1],
      ["d", 2],
      ["c", 2],
    ]);
    assert.deepEqual(
      choose(["a", "c", "b", "d"], scores, 1, () => 0.99),
      ["b"],
    );
    assert.deepEqual([upstreamWait(1, 900), upstreamWait(41, 900), upstreamWait(42, 900)], [30, 30, 900]);
  });

  it("put another in a place", () => {
    const state = firstSelection(pool(5), OPTIONS, 0, numbers());
    assert.deepEqual(replacePeer(state, "192.0.2.2", "x").peers[1], "x");
  });
});
