import assert from "node:assert/strict";
import { test } from "node:test";
import { isBuiltIn, loadOrder } from "./modules.ts";

const DEP = `kernel/net/ipv6/ipv6.ko: kernel/lib/crc-ccitt.ko
kernel/lib/crc-ccitt.ko:
kernel/net/sched/act_ct.ko: kernel/net/nf_nat.ko kernel/net/nf_conntrack.ko kernel/net/nf_defrag.ko
kernel/net/nf_nat.ko: kernel/net/nf_conntrack.ko kernel/net/nf_defrag.ko
kernel/net/nf_conntrack.ko: kernel/net/nf_defrag.ko
kernel/net/nf_defrag.ko:
kernel/drivers/net/veth.ko:
`;

test("each module stands once, after all that it needs", () => {
  const order = loadOrder(DEP, ["veth", "act_ct", "ipv6", "nf_nat"]).map((path) => path.replace(/.*\//, ""));
  assert.deepEqual(order, [
    "veth.ko",
    "nf_defrag.ko",
    "nf_conntrack.ko",
    "nf_nat.ko",
    "act_ct.ko",
    "crc-ccitt.ko",
    "ipv6.ko",
  ]);
});

test("a module that the package lacks is named", () => {
  assert.throws(() => loadOrder(DEP, ["veth", "sch_cake"]), /no module sch_cake/);
});

test("compressed modules have the same names, and those that are built in are known", () => {
  assert.deepEqual(loadOrder("kernel/drivers/net/veth.ko.xz:\n", ["veth"]), ["kernel/drivers/net/veth.ko.xz"]);
  const builtIn = "kernel/fs/fuse/fuse.ko\nkernel/fs/fuse/virtiofs.ko\n";
  assert.deepEqual(
    ["fuse", "virtiofs", "fs"].map((name) => isBuiltIn(builtIn, name)),
    [true, true, false],
  );
});
