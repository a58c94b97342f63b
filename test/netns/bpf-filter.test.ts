/** Filters whose handle the kernel chooses, and tells of in the echo of the message that made them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { handle, TC_CLSACT, TC_EGRESS } from "../../src/core/tc/handle.ts";
import { programInfo } from "../../src/linux/bpf/info.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import type { Fd } from "../../src/linux/fd.ts";
import { dumpFilters } from "../../src/linux/netlink/dump.ts";
import { RtnlError } from "../../src/linux/netlink/socket.ts";
import {
  type BpfFilter,
  decodeFilter,
  encodeFilter,
  encodeFilterDelete,
  type FilterRecord,
} from "../../src/linux/netlink/tc/filter.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";
import { batch, VethPair } from "../helpers/veth.ts";

checkFds();

const PRIORITY = 50;
const TC_ACT_UNSPEC = -1;
const idOf = (program: Fd): number => programInfo(program.number).id;
const tiny = (): Fd => tinyProgram(PROGRAM_TYPE.SCHED_CLS, TC_ACT_UNSPEC);
const filter = (program: Fd, number: number): BpfFilter => ({
  parent: TC_EGRESS,
  priority: PRIORITY,
  handle: number,
  fd: program.number,
  name: "tiny",
  directAction: true,
});

describe("filters with an echo", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
    veth.make({ handle: handle(0xffff), parent: TC_CLSACT, qdisc: { kind: "clsact" } });
  });
  after(() => veth[Symbol.dispose]());

  const echo = (verb: "add" | "replace", program: Fd, number = 0): FilterRecord =>
    veth.socket.echo(
      batch((w) => encodeFilter(w, verb, veth.dev, filter(program, number))),
      decodeFilter,
    );
  const remove = (number: number): void =>
    veth.socket.request(
      batch((w) => encodeFilterDelete(w, veth.dev, { parent: TC_EGRESS, priority: PRIORITY, handle: number })),
    );
  const dump = (): FilterRecord[] => dumpFilters(veth.socket, veth.dev, TC_EGRESS);
  /** Handle and program of each, in the order in which they are asked. */
  const shown = (): unknown[] => dump().map((found) => [found.handle, found.program?.id]);

  test("handle 0 becomes one that the kernel chooses, and the echo is what a dump shows", () => {
    using program = tiny();
    const made = echo("add", program);
    assert.ok(made.handle > 0);
    assert.deepEqual([made.priority, made.parent, made.program?.id], [PRIORITY, TC_EGRESS, idOf(program)]);
    assert.deepEqual(dump(), [made]);
    remove(made.handle);
    assert.deepEqual(dump(), []);
  });

  test("in place of the filter with its handle another program runs, and the neighbour stays", () => {
    using first = tiny();
    using second = tiny();
    using neighbour = tiny();
    const made = echo("add", first);
    const beside = echo("add", neighbour);
    assert.notEqual(made.handle, beside.handle);
    const before = shown();
    assert.equal(before.length, 2);
    const replaced = echo("replace", second, made.handle);
    assert.deepEqual([replaced.handle, replaced.program?.id], [made.handle, idOf(second)]);
    const swapped = ([number, program]: [number, number]): unknown =>
      number === made.handle ? [number, idOf(second)] : [number, program];
    assert.deepEqual(shown().toSorted(), (before as [number, number][]).map(swapped).toSorted());
    remove(made.handle);
    assert.deepEqual(shown(), [[beside.handle, idOf(neighbour)]]);
    remove(beside.handle);
  });

  test("a refusal is thrown, and the socket serves the next request", () => {
    using program = tiny();
    const made = echo("add", program);
    const refused = (error: unknown): boolean => error instanceof RtnlError && error.code === "EEXIST";
    assert.throws(() => echo("add", program, made.handle), refused);
    assert.deepEqual(dump(), [made]);
    remove(made.handle);
    assert.throws(() => remove(made.handle), { code: "ENOENT" });
  });
});
