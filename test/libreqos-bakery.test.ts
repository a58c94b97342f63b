/** Recorded calls of LibreQoS's bakery, decoded and written as lines, against what its Python side wrote in the same run. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { gunzipSync } from "node:zlib";
import { decodeCommand } from "../src/shaper/bakery/decode.ts";
import { commandLines } from "../src/shaper/bakery/lines.ts";
import type { BakeryCommand } from "../src/shaper/bakery/model.ts";
import { GOLDEN, goldenSettings, goldenText, skipGolden } from "./helpers/libreqos.ts";

const CALLS = join(GOLDEN, "bakery-calls");
const NAMES: Readonly<Record<string, BakeryCommand["kind"]>> = {
  mq_setup: "MqSetup",
  add_structural_htb_class: "AddStructuralHTBClass",
  add_circuit_htb_class: "AddCircuitHTBClass",
  add_circuit_qdisc: "AddCircuitQdisc",
  clear_prior_settings: "ClearPriorSettings",
};

/** JSON.parse rounds numbers of 64 bits: hashes become texts first, as a client sends them. */
const parse = (line: string): Record<string, unknown> =>
  JSON.parse(line.replaceAll(/("\w+_hash": )(-?\d+)/g, '$1"$2"')) as Record<string, unknown>;

/** The calls of a run but for the bulk one, whose lines are not recorded with it. */
function recorded(name: string): BakeryCommand[] {
  const text = gunzipSync(readFileSync(join(CALLS, name, "bakery_calls.jsonl.gz"))).toString();
  return text
    .trim()
    .split("\n")
    .map(parse)
    .filter(({ call }) => call !== "execute_tc_commands")
    .map(({ call, ...fields }) => {
      const command = decodeCommand({ command: NAMES[call as string], ...fields });
      assert.ok("kind" in command, inspect(command));
      return command;
    });
}

const names = skipGolden === false && existsSync(CALLS) ? readdirSync(CALLS) : [];

test("there are recorded calls", { skip: skipGolden }, () => assert.ok(names.length > 0));

for (const name of names)
  test(`${name}: line by line what Python wrote, in its order`, { skip: skipGolden }, () => {
    const settings = goldenSettings(name);
    const commands = recorded(name);
    const lines = commands.flatMap((command) =>
      command.kind === "ClearPriorSettings" ? [] : commandLines(command, settings),
    );
    assert.deepEqual(lines, goldenText(name, "linux_tc.txt")!.trimEnd().split("\n"));
    const clear = commands.findLast(({ kind }) => kind === "ClearPriorSettings")!;
    const { lan, internet, onAStick } = settings.link;
    const devices = onAStick ? [internet] : [internet, lan];
    assert.deepEqual(
      commandLines(clear, settings),
      devices.map((dev) => `qdisc delete dev ${dev} root`),
    );
  });
