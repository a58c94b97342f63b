import assert from "node:assert/strict";
import { test } from "node:test";
import { isOpen } from "../../../test/helpers/is-open.ts";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rules.ts";
import { Fd } from "../../linux/fd.ts";
import type { PlaneRule } from "../model.ts";
import type { OutputSocket } from "../user/active-rule.ts";
import { NO_SOCKET } from "./message-codec.ts";
import { encodeRule } from "./rule-codec.ts";
import { type RuleTarget, WorkerTable } from "./table.ts";

checkFds();

class Target implements RuleTarget {
  readonly rules = new Map<string, { readonly rule: PlaneRule; readonly sockets: readonly OutputSocket[] }>();

  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void {
    for (const { fd } of sockets) assert.ok(fd === NO_SOCKET || isOpen(fd));
    this.rules.set(rule.id, { rule, sockets });
  }

  removeRule(id: string): void {
    assert.ok(this.rules.delete(id));
  }
}

const outputs = (count: number) => Array.from({ length: count }, (_, slot) => planeOutput({ slot }));

/** Gives it a socket. */
function open(table: WorkerTable, number: number): Fd {
  const fd = Fd.open("/dev/null");
  table.open(number, "udp", fd);
  return fd;
}

function take(table: WorkerTable, rule: PlaneRule, sockets: readonly number[], more = false): void {
  table.take({ kind: "rule", rule: encodeRule(rule), sockets, more });
}

test("rules have the sockets that they call, until those are closed", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  const sockets = [open(table, 0), open(table, 1)];
  const fds = sockets.map(({ number }) => number);
  const given = (id: string) => target.rules.get(id)?.sockets.map(({ fd }) => fd);
  take(table, planeRule(), [1]);
  const before = table.state;
  take(table, planeRule({ outputs: outputs(3) }), [1, 0, NO_SOCKET]);
  take(table, planeRule({ id: "2" }), [1]);
  assert.notDeepEqual(table.state, before);
  assert.deepEqual([given(planeRule().id), given("2")], [[fds[1], fds[0], -1], [fds[1]]]);
  table.drop("2");
  table.drop("2");
  assert.equal(table.state.count, 1);
  take(table, planeRule(), [0]);
  table.close(1);
  table.close(1);
  assert.deepEqual([sockets.map(({ isOpen: is }) => is), table.state], [[true, false], before]);
  assert.throws(() => take(table, planeRule(), [1]), /rule 0000000000000001 has socket 1, which has not come/);
});

test("a rule in parts is set when it is whole", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  open(table, 7);
  const all = outputs(5);
  take(table, planeRule({ outputs: all.slice(0, 2) }), [7, 7], true);
  take(table, planeRule({ outputs: all.slice(2, 4) }), [7, 7], true);
  assert.equal(target.rules.size, 0);
  take(table, planeRule({ outputs: all.slice(4) }), [7]);
  assert.deepEqual(table.rules, [planeRule({ outputs: all })]);
  using whole = new WorkerTable(new Target());
  open(whole, 1);
  take(whole, planeRule({ outputs: all }), [1, 1, 1, 1, 1]);
  assert.deepEqual(whole.state, table.state);
  // A part of which the rest never comes.
  take(table, planeRule({ id: "2" }), [7], true);
  take(table, planeRule({ id: "3" }), [7]);
  assert.deepEqual([...target.rules.keys()], [planeRule().id, "3"]);
});

test("a rule without a socket for each output is refused", () => {
  using table = new WorkerTable(new Target());
  open(table, 0);
  assert.throws(() => take(table, planeRule(), [0, 0]), /rule 0000000000000001 has 1 outputs and 2 sockets/);
});

test("what is not said again is dropped", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  const sockets = [open(table, 0), open(table, 1)];
  for (const id of ["1", "2", "3"]) take(table, planeRule({ id }), [0]);
  table.begin();
  sockets.push(open(table, 2));
  take(table, planeRule({ id: "2" }), [2]);
  take(table, planeRule({ id: "4" }), [2]);
  assert.equal(table.state.count, 4);
  table.settle();
  table.settle();
  assert.deepEqual([...target.rules.keys()].toSorted(), ["2", "4"]);
  assert.deepEqual(
    sockets.map(({ isOpen: is }) => is),
    [false, false, true],
  );
});
