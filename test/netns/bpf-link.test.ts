/** BPF links on real interfaces: made, described, given another program, and ended. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { linkIds } from "../../src/linux/bpf/ids.ts";
import { programInfo } from "../../src/linux/bpf/info.ts";
import {
  createTcxLink,
  createXdpLink,
  detachLink,
  LINK_TYPE,
  linkInfo,
  openLinkById,
  type TcxAnchor,
  updateLink,
  XDP_FLAGS,
} from "../../src/linux/bpf/link.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { queryTcx } from "../../src/linux/bpf/tcx.ts";
import type { Fd } from "../../src/linux/fd.ts";
import { ifNameToIndex } from "../../src/linux/ffi.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";
import { VethPair } from "../helpers/veth.ts";

checkFds();

const XDP_PASS = 2;
const TCX_NEXT = -1;
const NOBODY = 0x7fff_ffff;
const idOf = (program: Fd): number => programInfo(program.number).id;

describe("XDP links", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());

  const attach = (program: Fd, flags: number = XDP_FLAGS.SKB): Fd =>
    veth.ns.run(() => createXdpLink(program, veth.dev, flags));
  const seen = (): number | undefined =>
    dumpLinks(veth.socket).find(({ ifindex }) => ifindex === veth.dev)?.xdpProgramId;

  test("a link is what it was made of, also by its id and in the interface's own description", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    {
      using link = attach(program);
      const { id, ...info } = linkInfo(link);
      assert.deepEqual(info, { type: LINK_TYPE.XDP, programId: idOf(program), ifindex: veth.dev });
      assert.equal(seen(), idOf(program));
      assert.ok(linkIds().includes(id));
      using again = openLinkById(id);
      assert.deepEqual(linkInfo(again!.number), { id, ...info });
    }
    assert.equal(seen(), undefined, "its last descriptor is closed");
    assert.equal(openLinkById(NOBODY), undefined);
  });

  test("another program takes its place only if the expected one runs", () => {
    using first = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using second = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using third = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using link = attach(first);
    updateLink(link, second, first);
    assert.deepEqual([linkInfo(link).programId, seen()], [idOf(second), idOf(second)]);
    assert.throws(() => updateLink(link, third, first), { code: "EPERM" });
    assert.deepEqual([linkInfo(link).programId, seen()], [idOf(second), idOf(second)]);
  });

  test("an interface has one link, whatever its mode", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using other = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using _link = attach(program);
    assert.throws(() => attach(other), { code: "EBUSY" });
    assert.throws(() => attach(other, XDP_FLAGS.DRV), { code: "EEXIST" });
    assert.equal(seen(), idOf(program));
  });

  test("a link that was detached is there and attached to nothing", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using link = attach(program);
    assert.equal(detachLink(link), true);
    assert.deepEqual([linkInfo(link).ifindex, seen()], [0, undefined]);
    assert.equal(detachLink(link), true, "once more changes nothing");
    assert.throws(() => updateLink(link, program, program), { code: "ENOLINK" });
  });

  test("a link whose interface went away tells of no interface, and takes no other program", () => {
    veth.ip("link", "add", "gone0", "type", "veth", "peer", "name", "gone1");
    using program = tinyProgram(PROGRAM_TYPE.XDP, XDP_PASS);
    using link = veth.ns.run(() => createXdpLink(program, ifNameToIndex("gone0"), 0));
    assert.ok(linkInfo(link).ifindex! > 0);
    veth.ip("link", "del", "gone0");
    assert.equal(linkInfo(link).ifindex, 0);
    assert.throws(() => updateLink(link, program, program), { code: "ENOLINK" });
  });

  test("a program of another kind is refused", () => {
    using program = tinyProgram(PROGRAM_TYPE.SCHED_CLS, TCX_NEXT);
    assert.throws(() => attach(program), { code: "EINVAL", message: /^BPF_LINK_CREATE xdp: / });
  });
});

describe("TCX links", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());

  const attach = (program: Fd, anchor: TcxAnchor, side: "ingress" | "egress" = "ingress"): Fd =>
    veth.ns.run(() => createTcxLink(program, veth.dev, side, anchor));
  const chain = (side: "ingress" | "egress" = "ingress"): number[] =>
    veth.ns.run(() => queryTcx(veth.dev, side)).map(({ programId }) => programId);

  test("each goes where its anchor says, on its own side", (t) => {
    if (!requireTcx(t)) return;
    using owned = new DisposableStack();
    const program = (): Fd => owned.use(tinyProgram(PROGRAM_TYPE.SCHED_CLS, TCX_NEXT));
    const [a, b, c, d, e] = [program(), program(), program(), program(), program()];
    assert.deepEqual(chain(), []);
    const link = owned.use(attach(a, { kind: "tail" }));
    owned.use(attach(b, { kind: "head" }));
    owned.use(attach(c, { kind: "before", programId: idOf(a) }));
    owned.use(attach(d, { kind: "after", programId: idOf(b) }));
    owned.use(attach(e, { kind: "tail" }));
    assert.deepEqual(chain(), [b, d, c, a, e].map(idOf));
    assert.deepEqual(chain("egress"), []);
    owned.use(attach(a, { kind: "tail" }, "egress"));
    assert.deepEqual(chain("egress"), [idOf(a)]);

    const { id, ...info } = linkInfo(link);
    assert.deepEqual(info, { type: LINK_TYPE.TCX, programId: idOf(a), ifindex: veth.dev });
    assert.deepEqual(veth.ns.run(() => queryTcx(veth.dev, "ingress"))[3], { programId: idOf(a), linkId: id });
    assert.equal(detachLink(link), true);
    assert.deepEqual(chain(), [b, d, c, e].map(idOf));
  });

  test("a program that is there already, and an anchor that is not, are refused", (t) => {
    if (!requireTcx(t)) return;
    using program = tinyProgram(PROGRAM_TYPE.SCHED_CLS, TCX_NEXT);
    using other = tinyProgram(PROGRAM_TYPE.SCHED_CLS, TCX_NEXT);
    using _link = attach(program, { kind: "tail" });
    assert.throws(() => attach(program, { kind: "head" }), { code: "EEXIST" });
    for (const kind of ["before", "after"] as const)
      assert.throws(() => attach(other, { kind, programId: NOBODY }), { code: "ENOENT" });
    assert.deepEqual(chain(), [idOf(program)]);
  });

  test("another program takes a link's place in the chain only if the expected one runs", (t) => {
    if (!requireTcx(t)) return;
    using owned = new DisposableStack();
    const program = (): Fd => owned.use(tinyProgram(PROGRAM_TYPE.SCHED_CLS, TCX_NEXT));
    const [first, second, next] = [program(), program(), program()];
    const link = owned.use(attach(first, { kind: "tail" }));
    owned.use(attach(next, { kind: "tail" }));
    assert.throws(() => updateLink(link, second, next), { code: "EPERM" });
    assert.deepEqual(chain(), [first, next].map(idOf));
    updateLink(link, second, first);
    assert.deepEqual(chain(), [second, next].map(idOf));
  });
});
