/** A request has the layout of a dump, so what is encoded can be decoded without a kernel. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { classids, placedClasses, placedQdiscs } from "../../../test/helpers/tc.ts";
import { sameClass } from "../../core/tc/class.ts";
import { handle, TC_EGRESS, TC_ROOT } from "../../core/tc/handle.ts";
import { type Qdisc, sameQdisc } from "../../core/tc/qdisc.ts";
import { stated } from "../../core/tc/verb.ts";
import { microseconds } from "../../core/units.ts";
import { MessageWriter, RTM } from "./message.ts";
import { Messages } from "./reader.ts";
import { decodeClass, encodeClass } from "./tc/class.ts";
import { decodeFilter, encodeFilter, encodeFilterDelete } from "./tc/filter.ts";
import { decodeQdisc, encodeQdisc } from "./tc/qdisc.ts";
import { NO_COUNTERS } from "./tc/stats.ts";
import { TCA, writeTcmsg } from "./tc/tcmsg.ts";

function through<T>(write: (writer: MessageWriter) => void, read: (message: Messages) => T): T {
  const writer = new MessageWriter();
  write(writer);
  const message = Messages.of(writer.finish().bytes);
  assert.ok(message.next());
  return read(message);
}

/** As fq_codel shows it in a dump: its times are cut twice. */
function asDumped(qdisc: Qdisc): Qdisc {
  if (qdisc.kind !== "fq_codel") return qdisc;
  const cut = Object.entries(qdisc).map(([key, value]: [string, unknown]) => [
    key,
    ["target", "interval", "ceThreshold"].includes(key)
      ? microseconds(Math.floor((Math.floor((Number(value) * 1000) / 1024) * 1024) / 1000))
      : value,
  ]);
  return Object.fromEntries(cut) as Qdisc;
}

test("every qdisc comes back, for every verb that makes or changes it", () => {
  fc.assert(
    fc.property(placedQdiscs, fc.constantFrom("add", "change", "replace"), fc.boolean(), (at, verb, rateTables) => {
      const dumped = { ...at, qdisc: asDumped(stated(verb, at.qdisc)) };
      const record = through(
        (writer) => encodeQdisc(writer, verb, 7, dumped, { rateTables }),
        (message) => decodeQdisc(message, { cakeStats: true }),
      );
      const hooks = at.qdisc.kind === "clsact" || at.qdisc.kind === "ingress";
      assert.deepEqual([record.ifindex, record.references, record.stats], [7, 0, NO_COUNTERS]);
      assert.equal(record.at.handle, hooks ? handle(0xffff) : at.handle);
      assert.equal(record.at.parent, at.parent);
      assert.ok(sameQdisc(stated(verb, at.qdisc), record.at.qdisc), JSON.stringify(record.at.qdisc));
    }),
  );
});

test("every class comes back with the smallest bursts that mean the same, with and without rate tables", () => {
  fc.assert(
    fc.property(placedClasses, fc.boolean(), (at, rateTables) => {
      const record = through((writer) => encodeClass(writer, "add", 7, at, { rateTables }), decodeClass);
      assert.ok(record);
      assert.deepEqual([record.at.classid, record.at.parent, record.ifindex], [at.classid, at.parent, 7]);
      assert.ok(sameClass(at.htb, record.at.htb), JSON.stringify(record.at.htb));
      assert.ok(record.at.htb.burst <= at.htb.burst && record.at.htb.cburst <= at.htb.cburst);
    }),
  );
});

test("a class directly below its HTB, which a dump shows as root, hangs on the HTB's handle", () => {
  fc.assert(
    fc.property(placedClasses, (at) => {
      const shown = { ...at, parent: TC_ROOT };
      const record = through((writer) => encodeClass(writer, "add", 7, shown), decodeClass);
      assert.equal(record?.at.parent, handle(at.classid >>> 16));
    }),
  );
});

const other = (type: number) => (writer: MessageWriter) => {
  writer.begin(type, 0);
  writeTcmsg(writer, 3, handle(8), TC_ROOT, 2);
  writer.string(TCA.KIND, "sfq");
  writer.bytes(TCA.OPTIONS, new Uint8Array(72));
  writer.end();
};

test("qdiscs of other kinds are named, classes of other kinds passed over", () => {
  assert.deepEqual(
    through(other(RTM.NEWQDISC), (message) => decodeQdisc(message)),
    {
      ifindex: 3,
      at: { handle: handle(8), parent: TC_ROOT, qdisc: { kind: "other", name: "sfq" } },
      references: 2,
      stats: NO_COUNTERS,
    },
  );
  assert.equal(through(other(RTM.NEWTCLASS), decodeClass), undefined);
});

test("what is not modelled can be removed but not made", () => {
  const at = { handle: handle(8), parent: TC_ROOT, qdisc: { kind: "other", name: "sfq" } } as const;
  const writer = new MessageWriter();
  assert.throws(() => encodeQdisc(writer, "add", 3, at), /Cannot encode add of a "sfq" qdisc/);
  // The writer is still usable: nothing was begun.
  encodeQdisc(writer, "del", 3, at);
  assert.equal(writer.count, 1);
});

test("filters come back; the number of the program is the kernel's to tell", () => {
  const priorities = fc.integer({ min: 1, max: 0xffff });
  fc.assert(
    fc.property(classids, priorities, priorities, fc.boolean(), (classid, priority, number, directAction) => {
      const filter = {
        parent: TC_EGRESS,
        priority,
        protocol: 0x0800,
        handle: number,
        fd: 5,
        name: "sluice",
        directAction,
      };
      const withClass = { ...filter, classid };
      for (const given of [filter, withClass]) {
        assert.deepEqual(
          through((writer) => encodeFilter(writer, "add", 7, given), decodeFilter),
          {
            kind: "bpf",
            parent: TC_EGRESS,
            priority,
            protocol: 0x0800,
            handle: number,
            program: { name: "sluice", id: 0, tag: "", directAction },
          },
        );
      }
      assert.deepEqual(
        through(
          (writer) => encodeFilterDelete(writer, 7, { parent: TC_EGRESS, priority, handle: number }),
          decodeFilter,
        ),
        { kind: "bpf", parent: TC_EGRESS, priority, protocol: 3, handle: number },
      );
    }),
  );
});
