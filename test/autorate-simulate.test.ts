/** `sluice autorate simulate` as a user meets it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./helpers/sources.ts";

function simulate(...args: readonly string[]) {
  const command = [join(ROOT, "src/cli/main.ts"), "autorate", "simulate", ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8" });
}

interface Spread {
  readonly median: number | null;
  readonly worst: number | null;
}

interface Answer {
  readonly schema: string;
  readonly seeds: number;
  readonly complete: boolean;
  readonly scenarios: readonly {
    readonly scenario: string;
    readonly direction: string;
    readonly controllers: readonly {
      readonly controller: string;
      readonly settledSeconds?: Spread;
      readonly recoveredSeconds?: Spread;
      readonly phases: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
    }[];
  }[];
}

describe("sluice autorate simulate", () => {
  it("shows a line for each controller in each scenario", () => {
    const { status, stdout, stderr } = simulate("--seeds", "2", "--scenario", "upload,load-returns");
    assert.equal(status, 0, stderr);
    const [header, ...lines] = stdout.trimEnd().split("\n");
    assert.match(header!, /^SCENARIO +CONTROLLER +STEADY MS +DROP MS +LOW MS .* SETTLED S +80 % S +MINIMUM S$/);
    const expected = ["upload", "load-returns"].flatMap((name) =>
      ["none", "cake", "ewma", "sluice"].map((controller) => `${name} ${controller}`),
    );
    assert.deepEqual(
      lines.map((line) => line.split(/ +/).slice(0, 2).join(" ")),
      expected,
    );
    assert.match(lines[0]!, /never \(never\)/, "a full buffer never settles by itself");
    assert.match(stderr, /^Median \(worst\) of all seeds/);
  });

  it("compares a controller with itself under other options", () => {
    const own = "sluice:headroom=0.3,idle_decay=0.02";
    const args = ["--json", "--seeds", "3", "--scenario", "download", "--controller", "sluice", "--controller", own];
    const { status, stdout, stderr } = simulate(...args);
    assert.equal(status, 0, stderr);
    const answer = JSON.parse(stdout) as Answer;
    assert.deepEqual([answer.schema, answer.seeds, answer.complete], ["sluice/autorate-simulation/1", 3, true]);
    assert.deepEqual(
      answer.scenarios.map(({ scenario, direction }) => [scenario, direction]),
      [["download", "download"]],
    );
    const [usual, careful] = answer.scenarios[0]!.controllers;
    assert.deepEqual([usual!.controller, careful!.controller], ["sluice", own]);
    const used = [usual, careful].map((one) => one!.phases["steady"]!["usedShare"]!.median!);
    assert.ok(used[0]! > used[1]! + 0.1, `${used.join(" and ")} of the line`);
    // In bit/s, of a line of 20 Mbit/s.
    const carried = usual!.phases["steady"]!["throughputBitsPerSecond"]!.median!;
    assert.ok(carried > 15e6 && carried < 22.1e6, `${carried} bit/s`);
  });

  it("says null for never, and nothing of what there was not", () => {
    const { stdout } = simulate("--json", "--seeds", "1", "--scenario", "upload,asymmetric", "--controller", "none");
    const [upload, asymmetric] = (JSON.parse(stdout) as Answer).scenarios;
    assert.deepEqual(upload!.controllers[0]!.settledSeconds, { median: null, worst: null });
    assert.ok(upload!.controllers[0]!.recoveredSeconds!.median! > 0);
    assert.ok(!("minimumTicks" in upload!.controllers[0]!.phases["steady"]!), "nobody shapes");
    assert.ok(!("settledSeconds" in asymmetric!.controllers[0]!), "nothing is sent down");
  });

  it("gives the same answer each time", () => {
    const args = ["--json", "--seeds", "2", "--scenario", "both", "--controller", "ewma"];
    const first = simulate(...args).stdout;
    assert.ok(first.length > 1000);
    assert.equal(simulate(...args).stdout, first);
  });

  const REFUSED: readonly (readonly [what: string, args: readonly string[], reason: RegExp])[] = [
    ["a controller that there is not", ["--controller", "slice"], /no controller "slice".*did you mean "sluice"/],
    ["a script", ["--controller", "./mine.lua"], /"\.\/mine\.lua" is a script/],
    ["an option that there is not", ["--controller", "sluice:headrom=1"], /headrom.*did you mean "headroom"/],
    ["a value out of bounds", ["--controller", "sluice:headroom=2"], /options\.headroom: it is 2, wanted/],
    ["an option without a value", ["--controller", "ewma:idle_decay"], /"idle_decay" in .* wanted KEY=VALUE/],
    ["options of nobody", ["--controller", "none:a=1"], /takes none/],
    ["a scenario that there is not", ["--scenario", "outag"], /no scenario "outag".*did you mean "outage"/],
    ["no seeds", ["--seeds", "0"], /Cannot run 0 seeds/],
    ["half a seed", ["--seeds", "1.5"], /Cannot run 1\.5 seeds/],
  ];
  for (const [what, args, reason] of REFUSED)
    it(`refuses ${what}`, () => {
      const { status, stdout, stderr } = simulate(...args);
      assert.deepEqual([status, stdout], [64, ""]);
      assert.match(stderr, reason);
    });
});
