import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { record, scenarioOf } from "../../../test/helpers/recorded-run.ts";
import { SLUICE_DEFAULTS } from "../controllers/sluice/options.ts";
import { sluice } from "../controllers/sluice/sluice.ts";
import { headerBounds, readTrace, type Trace, traceBounds, traceLine, type TraceTick } from "./trace.ts";

const { header, ticks } = record(scenarioOf("download"), sluice(SLUICE_DEFAULTS));
const LINES = [header, ...ticks].map((line) => traceLine(line));

/** Reads what is known to have a header. */
function read(lines: readonly string[]): Trace {
  const trace = readTrace(lines.join("\n"));
  if ("reason" in trace) assert.fail(trace.reason);
  return trace;
}

test("what was written is read, to the last bit", () => {
  const { runs, faults } = read(LINES);
  assert.deepEqual(faults, []);
  assert.equal(runs.length, 1);
  assert.deepEqual(runs[0], { header, ticks });
  assert.ok(ticks.length > 600);
});

test("there is no end of a maximum, and no threshold of a direction that is not there", () => {
  const bounds = { download: { min: 1, base: 2, max: Infinity }, upload: { min: 1, base: 2, max: 3 } };
  const written = headerBounds(bounds);
  assert.equal(written.download.max, null);
  assert.deepEqual(traceBounds(written.download), bounds.download);
  assert.deepEqual(traceBounds(written.upload), bounds.upload);
  const [first] = ticks;
  const { upload, download } = first!.input!.directions;
  const open = { ...upload, threshold: Infinity, bounds: { ...upload.bounds, max: Infinity } };
  const tick: TraceTick = { ...first!, input: { ...first!.input!, directions: { download, upload: open } } };
  const { runs } = read([LINES[0]!, traceLine(tick)]);
  assert.deepEqual(runs[0]!.ticks[0]!.input.directions.upload, open);
});

test("ticks in which nothing was measured are no faults, and not for replaying", () => {
  const { input, decision, ...rest } = ticks[0]!;
  assert.ok(input && decision);
  const { runs, faults } = read([LINES[0]!, traceLine({ ...rest, state: "waiting" }), LINES[1]!]);
  assert.deepEqual(faults, []);
  assert.equal(runs[0]!.ticks.length, 1);
});

test("a line that is cut off, or is none, costs itself and is told with its number", () => {
  const cut = LINES[2]!.slice(0, 300);
  const { runs, faults } = read([LINES[0]!, LINES[1]!, cut, "[]", '{"kind":"tock"}', "nonsense", "", LINES[3]!]);
  assert.equal(runs[0]!.ticks.length, 2);
  assert.deepEqual(
    faults.map(({ line }) => line),
    [3, 4, 5, 6],
  );
  assert.match(faults[1]!.reason, /it is no object/);
  assert.match(faults[2]!.reason, /neither a header nor a tick/);
});

test("what is no trace has no header", () => {
  for (const text of ["", "\n\n", "times,timens\n1,2\n", LINES[1]!, '{"schema":"sluice/autorate-trace/2"}'])
    assert.deepEqual(readTrace(text), { reason: 'no line has the schema "sluice/autorate-trace/1"' });
  const broken = readTrace('{"schema":"sluice/autorate-trace/1","link":"wan"}\n');
  assert.ok("reason" in broken);
  const late = read([LINES[1]!, LINES[2]!, LINES[0]!, LINES[3]!]);
  assert.deepEqual(late.faults, [{ line: 1, reason: "2 ticks stand before any header" }]);
  assert.equal(late.runs[0]!.ticks.length, 1);
});

test("every start of a link is a run of its own, and a file that was put aside is none", () => {
  const again = [LINES[0]!, ...LINES.slice(1, 6), LINES[0]!, ...LINES.slice(1, 4)];
  assert.deepEqual(
    read(again).runs.map((run) => run.ticks.length),
    [5, 3],
  );
  const aside = [LINES[0]!, ...LINES.slice(1, 6), LINES[0]!, ...LINES.slice(6, 9)];
  assert.deepEqual(
    read(aside).runs.map((run) => run.ticks.length),
    [8],
  );
  const other = traceLine({ ...header, controller: "ewma" });
  assert.deepEqual(
    read([LINES[0]!, LINES[1]!, other, LINES[2]!]).runs.map((run) => run.header.controller),
    ["sluice", "ewma"],
  );
  assert.equal(read([LINES[0]!, other, LINES[0]!, LINES[1]!]).runs.length, 1, "a start without a tick was none");
});

test("garbage in a line never stops the reading, and what is taken is whole", () => {
  const property = fc.property(
    fc.nat({ max: 40 }),
    fc.nat(),
    fc.constantFrom("delete", "null", "text", "cut", "flip"),
    (index, at, how) => {
      const line = LINES[index]!;
      const place = at % line.length;
      const changed = {
        delete: line.slice(0, place) + line.slice(place + 1),
        null: line.replaceAll(/-?\d+\.\d+/g, (number, offset: number) => (offset < place ? number : "null")),
        text: line.replaceAll(/\[[^[\]{}]*\]/g, (list, offset: number) => (offset < place ? list : '"?"')),
        cut: line.slice(0, place),
        flip: line.slice(0, place) + String.fromCodePoint(line.codePointAt(place)! ^ 1) + line.slice(place + 1),
      }[how];
      const trace = readTrace([...LINES.slice(0, index), changed, ...LINES.slice(index + 1, 45)].join("\n"));
      if ("reason" in trace) return assert.equal(index, 0);
      for (const { ticks: read } of trace.runs)
        for (const { input } of read) {
          assert.ok([input.now, input.elapsed, ...input.directions.download.deltas].every(Number.isFinite));
          for (const { delta } of input.samples) assert.ok(Number.isFinite(delta.download + delta.upload));
        }
      return undefined;
    },
  );
  fc.assert(property, { numRuns: 300 });
});
