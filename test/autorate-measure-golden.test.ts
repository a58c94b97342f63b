/**
 * Recorded runs of sqm-autorate's measuring, done again: baselines to the last bit, packets byte for byte, selections with
 * the same draws. The records lie beside the project; without them this says so and skips.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BaselineState, HALF_LIFE, kept, step } from "../src/autorate/baseline.ts";
import type { Random } from "../src/autorate/model.ts";
import { choose, drawWithReplacement, upstreamWait } from "../src/autorate/reflectors/selection.ts";
import { dayDifference, decodeReply, encodeRequest, stampFault, timeOfDay } from "../src/linux/icmp/codec.ts";
import { checksum } from "../src/linux/packet/frame.ts";
import { ROOT } from "./helpers/sources.ts";

const GOLDEN = join(ROOT, "../shared/golden/autorate");
const skip = existsSync(GOLDEN) ? false : `no recorded runs in ${GOLDEN}`;
const records = (start: string): string[] =>
  skip === false ? readdirSync(GOLDEN).filter((name) => name.startsWith(start) && name.endsWith(".json")) : [];
const read = (name: string): unknown => JSON.parse(readFileSync(join(GOLDEN, name), "utf8"));

interface BaselinerRun {
  readonly config: { readonly tick_duration: number; readonly slow_factor: number; readonly fast_factor: number };
  readonly steps: readonly {
    readonly in: { readonly reflector: string; readonly t: number; readonly up: number; readonly down: number };
    readonly out: Readonly<Record<string, number | boolean>>;
  }[];
}

describe("recorded baselines", { skip }, () => {
  const names = records("baseliner-");
  it("are there", () => assert.ok(names.length >= 9, `only ${names.length} records in ${GOLDEN}`));
  for (const name of names)
    it(name, () => {
      const { config, steps } = read(name) as BaselinerRun;
      const rules = { kind: "upstream", slow: config.slow_factor, fast: config.fast_factor } as const;
      for (const speed of ["slow", "fast"] as const) {
        const ours = kept(HALF_LIFE[speed], config.tick_duration);
        assert.ok(Math.abs(ours - rules[speed]) <= Number.EPSILON, `${speed}: ${ours} against ${rules[speed]}`);
      }
      const states = new Map<string, BaselineState>();
      for (const [index, { in: sample, out }] of steps.entries()) {
        const { reflector, t, up, down } = sample;
        const measured = { received: t, owd: { upload: up, download: down }, rtt: up + down };
        const { state, delta, reselect } = step(states.get(reflector), measured, rules);
        states.set(reflector, state);
        const { upload, download } = state.owd;
        assert.deepEqual(
          {
            base_up: upload.base,
            base_down: download.base,
            recent_up: upload.recent,
            recent_down: download.recent,
            base_last_t: state.last,
            recent_last_t: state.last,
            delta_up: delta.upload,
            delta_down: delta.download,
            reselect,
          },
          out,
          `step ${index}`,
        );
      }
    });
});

interface SelectorRun {
  readonly config: {
    readonly candidates_added: number;
    readonly num_reflectors: number;
    readonly peer_reselection_time: number;
  };
  readonly initial: { readonly peers: readonly string[]; readonly pool: readonly string[] };
  readonly steps: readonly {
    readonly candidates_in_order: readonly string[];
    readonly pool_draws: readonly number[];
    readonly shuffle_draws: readonly number[];
    readonly recent: Readonly<Record<string, { readonly up_ewma: number; readonly down_ewma: number }>>;
    readonly out_peers: readonly string[];
    readonly num_reflectors_after: number;
    readonly wait_timeout_s: number;
  }[];
}

/** Gives recorded numbers in their order, and none beyond them. */
const replay = (numbers: readonly number[]): { readonly random: Random; readonly left: () => number } => {
  let at = 0;
  const random = (): number => {
    assert.ok(at < numbers.length, "more random numbers were drawn than in the record");
    return numbers[at++]!;
  };
  return { random, left: () => numbers.length - at };
};

/**
 * Sorts as Lua 5.1 does: a quicksort around the median of three, which leaves equal ones in an order of its own. What it
 * leaves is given to our stable sort, so that the same of two equally near ones is taken.
 */
function sortedAsLua<T>(items: readonly T[], before: (a: T, b: T) => boolean): T[] {
  const list = [...items];
  const swap = (a: number, b: number): void => void ([list[a], list[b]] = [list[b]!, list[a]!]);
  const inOrder = (low: number, high: number): void => void (before(list[high]!, list[low]!) && swap(low, high));
  const sort = (from: number, to: number): void => {
    if (from >= to) return;
    inOrder(from, to);
    if (to - from === 1) return;
    const middle = Math.floor((from + 1 + to + 1) / 2) - 1;
    if (before(list[middle]!, list[from]!)) swap(middle, from);
    else inOrder(middle, to);
    if (to - from === 2) return;
    const pivot = list[middle]!;
    swap(middle, to - 1);
    let [low, high] = [from, to - 1];
    for (;;) {
      do low += 1;
      while (before(list[low]!, pivot));
      do high -= 1;
      while (before(pivot, list[high]!));
      if (high < low) break;
      swap(low, high);
    }
    swap(to - 1, low);
    sort(from, low - 1);
    sort(low + 1, to);
  };
  sort(0, list.length - 1);
  return list;
}

describe("recorded selections", { skip }, () => {
  const names = records("selector-");
  it("are there", () => assert.ok(names.length >= 3, `only ${names.length} records in ${GOLDEN}`));
  for (const name of names)
    it(name, () => {
      const { config, initial, steps } = read(name) as SelectorRun;
      let { peers } = initial;
      // Upstream wants fewer for good once fewer have answered; ours does not, see the test of selection.ts.
      let wanted = config.num_reflectors;
      for (const [index, one] of steps.entries()) {
        const draws = replay(one.pool_draws);
        const candidates = drawWithReplacement(peers, initial.pool, config.candidates_added, draws.random);
        assert.deepEqual(candidates.toSorted(), one.candidates_in_order.toSorted(), `candidates of step ${index}`);
        const scores = new Map(
          Object.entries(one.recent).map(([a, { up_ewma, down_ewma }]) => [a, up_ewma + down_ewma]),
        );
        const answered = one.candidates_in_order.filter((address) => scores.has(address));
        wanted = Math.min(wanted, answered.length);
        assert.equal(wanted, one.num_reflectors_after);
        const swaps = replay(one.shuffle_draws);
        const sorted = sortedAsLua(answered, (a, b) => scores.get(a)! < scores.get(b)!);
        peers = choose(sorted, scores, wanted, swaps.random);
        assert.deepEqual(peers, one.out_peers, `peers of step ${index}`);
        assert.deepEqual([draws.left(), swaps.left()], [0, 0], "numbers of the record that were not drawn");
        assert.equal(upstreamWait(index + 1, config.peer_reselection_time * 60), one.wait_timeout_s);
      }
    });
});

interface IcmpRecord {
  readonly requests: readonly {
    readonly id: number;
    readonly now_s: number;
    readonly now_ns: number;
    readonly ms_since_midnight: number;
    readonly packet_hex: string;
  }[];
  readonly replies: readonly {
    readonly description: string;
    readonly from: string;
    readonly peers: readonly string[];
    readonly own_id: number;
    readonly now_s: number;
    readonly now_ns: number;
    readonly packet_hex: string;
    readonly out: Readonly<Record<string, number | string>> | null;
  }[];
}

describe("recorded packets", { skip }, () => {
  const record = (skip === false ? read("icmp-timestamp.json") : { requests: [], replies: [] }) as IcmpRecord;
  it("are there", () => assert.deepEqual([record.requests.length, record.replies.length], [4, 8]));

  for (const { id, now_s, now_ns, ms_since_midnight, packet_hex } of record.requests)
    it(`request ${packet_hex}`, () => {
      const token = timeOfDay(now_s * 1000 + Math.floor(now_ns / 1e6));
      assert.equal(token, ms_since_midnight);
      const packet = encodeRequest({ family: 4, kind: "timestamp", id, sequence: 0, token });
      assert.equal(packet.toString("hex"), packet_hex);
    });

  /** What our own rules say of a record, after its checksum (zero in all of them) has been put right. */
  const OURS: Readonly<Record<string, string>> = {
    "normal reply, 50 ms RTT, remote clock +1000 ms": "1020 -971 50",
    "wrong identifier": "id",
    "unknown peer": "address",
    "own request looped back (type 13)": "type",
    "wrong length (4 extra bytes)": "length",
    "non standard time: high bit set in receive/transmit (RFC 792): taken as a huge number, no masking":
      "nonstandard-time",
    "reflector answers with zero stamps": "zero-stamp",
    // The short way round: upstream has -86 399 989 ms and -86 399 980 ms here.
    "local midnight passed between send and receive": "9 11 20",
  };

  for (const { description, from, peers, own_id, now_s, now_ns, packet_hex, out } of record.replies)
    it(`reply: ${description}`, () => {
      const packet = Buffer.from(packet_hex, "hex");
      const now = timeOfDay(now_s * 1000 + Math.floor(now_ns / 1e6));
      const reply = peers.includes(from) ? decodeReply(4, packet, own_id, "upstream") : "address";
      if (out === null) assert.equal(typeof reply, "string");
      else {
        assert.ok(typeof reply === "object" && reply.kind === "timestamp");
        const { token, receive, transmit } = reply;
        assert.deepEqual(
          {
            original_ts: token,
            receive_ts: receive,
            transmit_ts: transmit,
            reflector: from,
            rtt: now - token,
            uplink_time: receive - token,
            downlink_time: now - transmit,
            last_receive_time_s: now_s + now_ns / 1e9,
          },
          out,
        );
      }
      assert.equal(
        decodeReply(4, packet, own_id),
        typeof reply === "object" || reply === "address" ? "checksum" : reply,
      );
      const icmp = packet.subarray(20);
      icmp.writeUInt16BE(checksum(icmp), 2);
      const strict = peers.includes(from) ? decodeReply(4, packet, own_id) : "address";
      const said = (): string => {
        if (typeof strict === "string") return strict;
        assert.ok(strict.kind === "timestamp");
        const { token, receive, transmit } = strict;
        const delays = [dayDifference(receive, token), dayDifference(now, transmit), dayDifference(now, token)];
        return stampFault(receive, transmit) ?? delays.join(" ");
      };
      assert.equal(said(), OURS[description]);
    });
});
