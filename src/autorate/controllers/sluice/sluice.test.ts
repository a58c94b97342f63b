import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both, type Both } from "../../../core/both.ts";
import type { Decision, Judged, Outstanding, ProbeMode, TickInput } from "../../model.ts";
import { seeded } from "../../simulation/random.ts";
import { SLUICE_DEFAULTS } from "./options.ts";
import { sluice } from "./sluice.ts";

const BOUNDS = { min: 2000, base: 10_000, max: 20_000 };

/** What happens in a tick. */
interface Told {
  readonly loads: Both<number>;
  readonly deltas: Both<number>;
  readonly mode?: ProbeMode;
  readonly silent?: boolean;
  readonly reflectors?: number;
}

/** Both directions of the controller at a fixed rate, with answers of some reflectors in each tick. */
class Pair {
  readonly #controller = sluice(SLUICE_DEFAULTS);
  readonly #rates = both(() => 10_000);
  readonly #bytes = { download: 5e6, upload: 1e6 };
  #state = this.#controller.init(
    { bounds: both(() => BOUNDS), start: this.#rates, now: 50, bytes: { ...this.#bytes }, period: 0.1 },
    seeded(1),
  );
  #waiting: Outstanding[] = [];
  #now = 50;
  #tick = 0;

  tick({ loads, deltas, mode = "timestamp", silent = false, reflectors = 6 }: Told): Decision {
    const sent = this.#now;
    this.#now += this.#controller.period;
    this.#tick += 1;
    for (const d of ["download", "upload"] as const) this.#bytes[d] += loads[d] * this.#rates[d] * 12.5;
    const names = Array.from({ length: reflectors }, (_, i) => `r${i}`);
    const samples = silent
      ? []
      : names.map((reflector): Judged => ({
          reflector,
          mode,
          sent: sent - 0.05,
          received: this.#now - 0.01,
          owd: deltas,
          rtt: 30 + deltas.download + deltas.upload,
          delta: deltas,
        }));
    if (silent) this.#waiting.push(...names.map((reflector) => ({ reflector, sent, baseline: 30 })));
    else this.#waiting = [];
    const directions = both((d) => ({
      deltas: silent ? [] : names.map(() => deltas[d]),
      rate: this.#rates[d],
      bytes: this.#bytes[d],
      achieved: loads[d] * this.#rates[d],
      load: loads[d],
      bounds: BOUNDS,
      threshold: 15,
    }));
    const input: TickInput = {
      now: this.#now,
      elapsed: this.#controller.period,
      tick: this.#tick,
      directions,
      samples,
      outstanding: this.#waiting,
    };
    const { state, decision } = this.#controller.step(this.#state, input, seeded(1));
    this.#state = state;
    return decision;
  }

  /** Ticks until a direction is cut, at most so often; undefined when it never is. */
  cutAfter(direction: "download" | "upload", told: Told, most = 20): number | undefined {
    for (let i = 1; i <= most; i += 1) if (this.tick(told)[direction].branch.startsWith("cut")) return i;
    return undefined;
  }
}

const QUIET: Told = { loads: both(() => 0.6), deltas: both(() => 1) };

describe("both directions of the controller", () => {
  it("are told apart by delays one way", () => {
    const pair = new Pair();
    for (let i = 0; i < 10; i += 1) pair.tick(QUIET);
    const decision = pair.tick({ loads: both(() => 0.7), deltas: { download: 1, upload: 60 } });
    assert.deepEqual([decision.download.branch, decision.upload.branch], ["hold", "cut"]);
  });

  it("share the blame for a round trip when both are loaded, and the loaded one has it all", () => {
    const deltas = both(() => 10);
    assert.equal(
      new Pair().cutAfter("download", { loads: { download: 0.7, upload: 0.7 }, deltas, mode: "echo" }),
      undefined,
    );
    assert.ok(new Pair().cutAfter("download", { loads: { download: 0.7, upload: 0 }, deltas, mode: "echo" })! <= 10);
    assert.equal(
      new Pair().cutAfter("upload", { loads: { download: 0.7, upload: 0 }, deltas, mode: "echo" }),
      undefined,
    );
  });

  it("want other reflectors when few answer", () => {
    assert.equal(new Pair().tick(QUIET).reselect, false);
    assert.equal(new Pair().tick({ ...QUIET, reflectors: 3 }).reselect, false);
    assert.equal(new Pair().tick({ ...QUIET, reflectors: 2 }).reselect, true);
    assert.equal(new Pair().tick({ ...QUIET, silent: true }).reselect, true);
  });

  it("take silence of more than a second for a queue of a full upload, and never for one of a download", () => {
    const pair = new Pair();
    const full: Told = { loads: both(() => 0.85), deltas: both(() => 1) };
    for (let i = 0; i < 5; i += 1) pair.tick({ ...full, loads: both(() => 0.7) });
    const branches = Array.from({ length: 20 }, () => {
      const { download, upload } = pair.tick({ ...full, silent: true });
      return [download.branch, upload.branch] as const;
    });
    const first = branches.findIndex(([, upload]) => upload === "cut unheard");
    assert.ok(first >= 9 && first <= 13, branches.join(" "));
    assert.ok(branches.every(([download]) => !download.startsWith("cut")));
  });
});
