/** Fused and freplace are the same to everybody: random changes made with both, and what packets meet after each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EngineName, HookName, MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { VERDICTS, type VerdictFamily } from "../../src/dispatcher/proceed-on.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { requireExtensions } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** One change. */
type Step =
  | { readonly attach: number; readonly priority: number; readonly proceedOn: readonly number[] | undefined }
  | { readonly detach: number };

/** Members that give each of these verdicts, by hook. */
const HOOKS: readonly (readonly [
  HookName,
  VerdictFamily,
  object: string,
  name: string,
  verdicts: readonly string[],
])[] = [
  ["xdp", "xdp", "xdp-members", "pass_count", ["pass", "drop", "aborted", "tx"]],
  ["tc-ingress", "tc", "tc-members", "ok_count", ["ok", "pipe", "shot", "stolen", "unspec"]],
];

const steps = (verdicts: readonly number[]): fc.Arbitrary<Step[]> => {
  const proceedOn = fc.option(fc.uniqueArray(fc.constantFrom(...verdicts), { minLength: 1 }), { nil: undefined });
  const attach = fc.record({ attach: fc.nat(verdicts.length - 1), priority: fc.constantFrom(10, 50, 90), proceedOn });
  const detach = fc.record({ detach: fc.nat(9) });
  return fc.array(fc.oneof({ weight: 3, arbitrary: attach }, { weight: 1, arbitrary: detach }), {
    minLength: 3,
    maxLength: 7,
  });
};

/** Makes the changes with an engine; after each, the order and what every member has seen. */
async function observe(
  engine: EngineName,
  [hook, family, object, name]: (typeof HOOKS)[number],
  verdicts: readonly number[],
  changes: readonly Step[],
): Promise<unknown[]> {
  using lab = new DispatcherLab({ engine });
  const programs: ProgramRecord[] = [];
  for (const verdict of verdicts) {
    const value = Buffer.alloc(4);
    value.writeInt32LE(verdict);
    programs.push(await lab.load(object, family, name, { globals: { verdict: value.toString("hex") } }));
  }
  const links: MemberLink[] = [];
  const seen: unknown[] = [];
  for (const step of changes) {
    if ("detach" in step) {
      const [link] = links.splice(step.detach % Math.max(1, links.length), 1);
      if (link) await lab.detach(link);
    } else {
      const { priority, proceedOn } = step;
      links.push(await lab.attach(programs[step.attach]!, hook, { priority, ...(proceedOn && { proceedOn }) }));
    }
    lab.send(2);
    const { links: stored } = lab.dispatcher.state();
    const places = links.map(({ id }) => (stored.get(id) as MemberLink).details.position);
    seen.push([places, programs.map((program) => lab.hits(program)), lab.record(hook)?.revision]);
  }
  assert.equal(lab.record(hook)?.engine ?? engine, engine);
  assert.deepEqual(lab.findings(), []);
  return seen;
}

for (const kind of HOOKS)
  test(`random changes on ${kind[0]} are the same to packets with both engines`, async (t) => {
    if (!requireExtensions(t)) return;
    const verdicts = kind[4].map((verdict) => VERDICTS[kind[1]][verdict]!);
    const same = fc.asyncProperty(steps(verdicts), async (changes) => {
      const [fused, freplace] = [
        await observe("fused", kind, verdicts, changes),
        await observe("freplace", kind, verdicts, changes),
      ];
      assert.deepEqual(freplace, fused);
    });
    await fc.assert(same, { numRuns: 5, endOnFailure: true });
  });
