import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rules.ts";
import { Fd } from "../../linux/fd.ts";
import { fcntl } from "../../linux/ffi.ts";
import type { PlaneRule } from "../model.ts";
import { encodeRule } from "./rule-codec.ts";
import { type OutputSocket, type RuleTarget, WorkerTable } from "./table.ts";

checkFds();

const F_GETFD = 1;
const isOpen = (fd: number): boolean => fcntl(fd, F_GETFD, 0) >= 0;

/** Remembers what it was told, and sees that no socket is closed before it is told of another one. */
class Target implements RuleTarget {
  readonly rules = new Map<string, { readonly rule: PlaneRule; readonly sockets: readonly OutputSocket[] }>();

  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void {
    for (const { fd } of [...sockets, ...(this.rules.get(rule.id)?.sockets ?? [])]) assert.ok(isOpen(fd));
    this.rules.set(rule.id, { rule, sockets });
  }

  removeRule(id: string): void {
    for (const { fd } of this.rules.get(id)?.sockets ?? []) assert.ok(isOpen(fd));
    assert.ok(this.rules.delete(id));
  }
}

const sockets = (count: number): Fd[] => Array.from({ length: count }, () => Fd.open("/dev/null"));
const outputs = (count: number) => Array.from({ length: count }, (_, slot) => planeOutput({ slot }));

function take(table: WorkerTable, rule: PlaneRule, fds: readonly Fd[], more = false): void {
  table.take({ kind: "rule", rule: encodeRule(rule), sockets: fds.map(() => "udp"), more }, fds);
}

test("a rule that is set again has its new sockets, and the old ones are closed after that", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  const [first, second] = [sockets(1), sockets(2)];
  take(table, planeRule(), first);
  const before = table.state;
  take(table, planeRule({ outputs: outputs(2) }), second);
  assert.notDeepEqual(table.state, before);
  assert.deepEqual(
    target.rules.get(planeRule().id)?.sockets,
    second.map((fd) => ({ fd: fd.number, kind: "udp" })),
  );
  assert.deepEqual([first[0]!.isOpen, ...second.map((fd) => fd.isOpen)], [false, true, true]);
  table.drop(planeRule().id);
  table.drop(planeRule().id);
  assert.equal(target.rules.size, 0);
  assert.ok(second.every((fd) => !fd.isOpen));
  assert.equal(table.state.count, 0);
});

test("a rule in parts is set when it is whole", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  const all = outputs(5);
  take(table, planeRule({ outputs: all.slice(0, 2) }), sockets(2), true);
  take(table, planeRule({ outputs: all.slice(2, 4) }), sockets(2), true);
  assert.equal(target.rules.size, 0);
  take(table, planeRule({ outputs: all.slice(4) }), sockets(1));
  assert.deepEqual(table.rules, [planeRule({ outputs: all })]);
  const whole = new WorkerTable(new Target());
  take(whole, planeRule({ outputs: all }), sockets(5));
  assert.deepEqual(whole.state, table.state);
  whole[Symbol.dispose]();
  // A part of which the rest never comes.
  const lost = sockets(1);
  take(table, planeRule({ id: "2" }), lost, true);
  take(table, planeRule({ id: "3" }), sockets(1));
  assert.equal(lost[0]!.isOpen, false);
  take(table, planeRule({ id: "4" }), sockets(1), true);
});

test("a rule without a socket for each output is refused, and leaves none open", () => {
  using table = new WorkerTable(new Target());
  const fds = sockets(2);
  assert.throws(() => take(table, planeRule(), fds), /rule 0000000000000001 has 1 outputs and 2 sockets/);
  assert.ok(fds.every((fd) => !fd.isOpen));
});

test("what is not said again is dropped", () => {
  const target = new Target();
  using table = new WorkerTable(target);
  for (const id of ["1", "2", "3"]) take(table, planeRule({ id }), sockets(1));
  table.begin();
  take(table, planeRule({ id: "2" }), sockets(1));
  take(table, planeRule({ id: "4" }), sockets(1));
  assert.equal(table.state.count, 4);
  table.settle();
  table.settle();
  assert.deepEqual([...target.rules.keys()].toSorted(), ["2", "4"]);
});

test("another target gets all rules with their sockets", () => {
  const [target, next] = [new Target(), new Target()];
  using table = new WorkerTable(target);
  for (const id of ["1", "2"]) take(table, planeRule({ id }), sockets(1));
  table.move(next);
  assert.deepEqual(next.rules, target.rules);
  table.drop("1");
  assert.deepEqual([...next.rules.keys()], ["2"]);
  assert.equal(target.rules.size, 2);
});
