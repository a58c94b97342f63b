/** The rules of cake-autorate against a recorded run of it: every whole number equal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CAKE_DEFAULTS, cakeInit, cakeLoad, cakeSample, cakeThresholds } from "../src/autorate/controllers/cake.ts";
import { both, type Both, type Direction } from "../src/core/both.ts";
import { autorateGolden, skipAutorateGolden } from "./helpers/autorate-golden.ts";

type Pair = readonly [download: number, upload: number];
type Event =
  | { readonly ev: "load"; readonly achieved: Pair; readonly shaper: Pair }
  | {
      readonly ev: "sample";
      readonly t_us: number;
      readonly reflector: string;
      readonly owd_us: number;
      readonly out: Readonly<Record<string, number | string | boolean>>;
    }
  | { readonly ev: "note"; readonly text: string };

interface Recorded {
  readonly config: Readonly<Record<string, number>>;
  readonly events: readonly Event[];
}

const pair = ([download, upload]: Pair): Both<number> => ({ download, upload });
const SHORT: Both<string> = { download: "dl", upload: "ul" };
/** The recorded time is that of the log, which is written after the decision: at most so much later, us. */
const LOG_LATER = 60_000;

test("a recorded run comes out the same", { skip: skipAutorateGolden }, (t) => {
  const { config, events } = autorateGolden("cake-autorate-run") as Recorded;
  const bounds = config as unknown as Readonly<Record<"base" | "mn" | "mx", Pair>>;
  const [base, min, max] = [pair(bounds.base), pair(bounds.mn), pair(bounds.mx)];
  const options = { ...CAKE_DEFAULTS, packetBits: config.pkt_bits!, firstBaseline: 100_000 };
  const first = events.find((event) => event.ev === "sample")!;
  let state = cakeInit(options, base, first.t_us);
  let samples = 0;
  let edges = 0;

  for (const event of events) {
    if (event.ev === "note") continue;
    if (event.ev === "load") {
      state = cakeLoad(state, pair(event.achieved));
      continue;
    }
    samples += 1;
    const { out } = event;
    const at = `sample ${samples}`;
    const before = state;
    const stepped = cakeSample(
      options,
      state,
      { reflector: event.reflector, owd: both(() => event.owd_us), now: event.t_us },
      base,
    );
    const { findings, reflector } = stepped;
    const edge = (d: Direction): boolean => {
      const side = before.sides[d];
      const since = [event.t_us - side.lastBloat - options.bloatRest, event.t_us - side.lastDecay - options.decayRest];
      return since.some((late) => Math.abs(late) < LOG_LATER);
    };
    assert.deepEqual(
      {
        baseline_us: reflector.baseline.download,
        delta_us: stepped.state.sides.download.deltas.at(-1),
        ewma_us: reflector.average.download,
        dl_sum_delays: findings.download.late,
        dl_avg_us: findings.download.average,
        ul_sum_delays: findings.upload.late,
        ul_avg_us: findings.upload.average,
        dl_cond: `dl_${findings.download.condition}${findings.download.bloat ? "_bb" : ""}`,
        ul_cond: `ul_${findings.upload.condition}${findings.upload.bloat ? "_bb" : ""}`,
      },
      Object.fromEntries(Object.entries(out).filter(([key]) => !/_(rate|changed|thr_us)$/.test(key))),
      at,
    );
    const sides = both((d) => {
      const rate = Math.min(Math.max(stepped.state.sides[d].rate, min[d]), max[d]);
      const recorded = out[`${SHORT[d]}_rate`] as number;
      if (rate !== recorded) {
        edges += 1;
        assert.ok(edge(d), `${at} ${d}: ${rate}, recorded ${recorded}, ${findings[d].verdict.branch}`);
        const took = out[`${SHORT[d]}_changed`] === true && recorded !== before.sides[d].rate;
        // The gate was open there and shut here, or the other way round: go on from what was recorded.
        return took
          ? {
              ...stepped.state.sides[d],
              rate: recorded,
              lastBloat: findings[d].bloat ? event.t_us : stepped.state.sides[d].lastBloat,
              lastDecay: event.t_us,
            }
          : { ...before.sides[d], deltas: stepped.state.sides[d].deltas, rate: recorded };
      }
      return { ...stepped.state.sides[d], rate };
    });
    state = { ...stepped.state, sides };
    // Recorded with the rate that holds from now on.
    assert.equal(cakeThresholds(options, "download", sides.download.rate).delay, out.dl_thr_us, at);
  }
  t.diagnostic(`${samples} samples, ${edges} rates at the edge of a rest`);
  assert.ok(samples > 800 && edges <= 40, `${edges} of ${samples}`);
});
