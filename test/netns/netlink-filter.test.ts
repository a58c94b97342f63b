/** Filters that run a program. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { handle, TC_CLSACT, TC_EGRESS, TC_INGRESS } from "../../src/core/tc/handle.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { dumpFilters } from "../../src/linux/netlink/dump.ts";
import { encodeFilter, encodeFilterDelete } from "../../src/linux/netlink/tc/filter.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";
import { batch, VethPair } from "../helpers/veth.ts";

checkFds();

describe("filters", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());
  beforeEach(() => veth.clear());

  test("a filter that runs a program is made, shown, replaced in place and removed", () => {
    veth.make({ handle: handle(0xffff), parent: TC_CLSACT, qdisc: { kind: "clsact" } });
    using program = tinyProgram(PROGRAM_TYPE.SCHED_CLS, 0);
    const place = { parent: TC_EGRESS, priority: 0xc001, handle: 1 };
    const filter = { ...place, fd: program.number, directAction: true };
    const shown = (): unknown[] => dumpFilters(veth.socket, veth.dev, TC_EGRESS);
    assert.deepEqual(shown(), []);
    for (const [verb, name] of [
      ["add", "first"],
      ["replace", "second"],
    ] as const) {
      veth.socket.request(batch((w) => encodeFilter(w, verb, veth.dev, { ...filter, name })));
      const [found, ...more] = dumpFilters(veth.socket, veth.dev, TC_EGRESS);
      assert.deepEqual(more, []);
      const { id, tag, ...rest } = found!.program!;
      assert.deepEqual(rest, { name, directAction: true });
      assert.ok(id > 0);
      assert.match(tag, /^[0-9a-f]{16}$/);
      assert.deepEqual([found!.kind, found!.priority, found!.protocol, found!.handle], ["bpf", 0xc001, 3, 1]);
    }
    assert.deepEqual(dumpFilters(veth.socket, veth.dev, TC_INGRESS), []);
    veth.socket.request(batch((w) => encodeFilterDelete(w, veth.dev, place)));
    assert.deepEqual(shown(), []);
    const [error] = veth.socket.send(batch((w) => encodeFilterDelete(w, veth.dev, place)));
    assert.equal(error?.code, "ENOENT");
  });
});
