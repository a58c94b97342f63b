/**
 * Recorded runs of sqm-autorate's measuring, done again: baselines to the last bit, packets byte for byte, selections with
 * the same draws. The records lie beside the project; without them this says so and skips.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BaselineState, HALF_LIFE, kept, step } from "../src/autorate/baseline.ts";
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
