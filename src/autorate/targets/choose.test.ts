import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClassAt } from "../../core/tc/class.ts";
import { type Handle, handle, TC_CLSACT, TC_ROOT } from "../../core/tc/handle.ts";
import type { Htb, QdiscAt, SeenQdisc } from "../../core/tc/qdisc.ts";
import { bytes, megabits } from "../../core/units.ts";
import { chooseClass, chooseQdisc } from "./choose.ts";

const at = (major: number, parent: Handle, qdisc: SeenQdisc): QdiscAt<SeenQdisc> => ({
  handle: handle(major),
  parent,
  qdisc,
});
const cake = (mbit?: number): SeenQdisc => ({ kind: "cake", ...(mbit !== undefined && { bandwidth: megabits(mbit) }) });
const TBF: SeenQdisc = { kind: "tbf", rate: megabits(10), burst: bytes(5000), limit: bytes(9000) };
const HTB: SeenQdisc = { kind: "htb", default: 0 };
const MQ: SeenQdisc = { kind: "mq" };
const FQ: SeenQdisc = { kind: "fq_codel" };
const HOOKS = at(0xffff, TC_CLSACT, { kind: "clsact" });

/** The handle's major of what was chosen, or why nothing was. */
function choice(kind: "auto" | "cake" | "tbf", ...qdiscs: readonly QdiscAt<SeenQdisc>[]): number | string {
  const found = chooseQdisc(kind, [HOOKS, ...qdiscs]);
  return found.kind === "none" ? found.reason : found.at.handle >>> 16;
}

test("a CAKE is found at the root, under mq and under HTB", () => {
  for (const kind of ["cake", "auto"] as const) {
    assert.equal(choice(kind, at(1, TC_ROOT, cake(20))), 1);
    assert.equal(
      choice(kind, at(1, TC_ROOT, cake(0))),
      1,
      "one without a limit too, where nothing else could have one",
    );
    assert.equal(choice(kind, at(1, TC_ROOT, MQ), at(2, handle(1, 1), cake(20)), at(3, handle(1, 2), FQ)), 2);
    assert.equal(choice(kind, at(1, TC_ROOT, HTB), at(2, handle(1, 0x10), cake(20)), at(3, handle(1, 2), cake())), 2);
  }
});

test("of several CAKEs none is chosen, and what is left of them is named", () => {
  const under = (n: number) => Array.from({ length: n }, (_, i) => at(2 + i, handle(1, 1 + i), cake(20)));
  const reason = "it has 2 CAKEs (2:, 3:), and which one is meant cannot be told";
  assert.equal(choice("cake", at(1, TC_ROOT, MQ), ...under(2)), reason);
  assert.equal(choice("auto", at(1, TC_ROOT, MQ), ...under(2)), reason);
  assert.match(String(choice("cake", at(1, TC_ROOT, MQ), ...under(9))), /9 CAKEs \(2:, 3:, 4:, 5: and 5 more\)/);
});

test("auto takes what shapes: a CAKE without a limit below something that has one does not", () => {
  assert.equal(choice("auto", at(1, TC_ROOT, HTB), at(2, handle(1, 1), cake())), 1, "the HTB");
  assert.equal(choice("cake", at(1, TC_ROOT, HTB), at(2, handle(1, 1), cake())), 2, "unless it is asked for");
  assert.equal(choice("auto", at(1, TC_ROOT, TBF), at(2, handle(1, 1), cake())), 1);
  assert.equal(choice("auto", at(1, TC_ROOT, MQ), at(2, handle(1, 1), cake()), at(3, handle(1, 2), FQ)), 2);
});

test("a TBF is the one at the root, else the only one", () => {
  assert.equal(choice("tbf", at(1, TC_ROOT, TBF), at(2, handle(1, 1), TBF)), 1);
  assert.equal(choice("tbf", at(1, TC_ROOT, HTB), at(2, handle(1, 1), TBF)), 2);
  assert.match(String(choice("tbf", at(2, handle(1, 1), TBF), at(3, handle(1, 2), TBF))), /2 TBFs \(2:, 3:\)/);
  assert.equal(choice("tbf", at(1, TC_ROOT, cake(5))), "it has cake 1: at its root, and no TBF");
});

test("what is missing is said with what is there instead", () => {
  assert.equal(choice("cake"), "it has no CAKE");
  assert.equal(choice("auto"), "it has no CAKE, TBF or HTB");
  assert.equal(choice("cake", at(0x8001, TC_ROOT, FQ)), "it has fq_codel 8001: at its root, and no CAKE");
  assert.equal(
    choice("auto", at(2, TC_ROOT, { kind: "other", name: "hfsc" })),
    "it has hfsc 2: at its root, and no CAKE, TBF or HTB",
  );
  const own = "its CAKE is the kernel's own, which cannot be changed: make one with tc qdisc replace";
  assert.equal(choice("cake", at(0, TC_ROOT, cake())), own);
});

test("the one class below an HTB", () => {
  const htb = at(1, TC_ROOT, HTB) as QdiscAt<Htb>;
  const below = (minor: number, parent: number): ClassAt =>
    ({ classid: handle(1, minor), parent: handle(1, parent), htb: {} }) as unknown as ClassAt;
  const first = below(1, 0);
  assert.equal(chooseClass(htb, [below(0x10, 1), first, below(0x11, 1)]), first);
  assert.equal(chooseClass(htb, []), "its HTB 1: has no class");
  assert.equal(
    chooseClass(htb, [first, below(2, 0)]),
    "its HTB 1: has 2 classes (1:1, 1:2): name the one that is meant",
  );
});
