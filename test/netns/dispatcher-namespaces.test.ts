/** Interfaces of several namespaces, and those that change. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { attachTcx, attachToDispatcher, detachLinks } from "../../src/dispatcher/manage.ts";
import type { HookName, MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { Netns } from "../../src/linux/netns.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const loadXdp = (lab: DispatcherLab, name = "pass_count"): Promise<ProgramRecord> =>
  lab.load("xdp-members", "xdp", name);

/** Attaches to d0 of some namespace. */
async function attachIn(lab: DispatcherLab, ns: Netns, program: ProgramRecord, hook: HookName): Promise<MemberLink> {
  const attach = { programId: program.id, hook, device: "d0", netns: ns.path, priority: 50 };
  return (await attachToDispatcher(lab.dispatcher, attach)).items[0] as MemberLink;
}

/** Makes the same interfaces as in a lab, by the same names and numbers. */
function sameInterfaces(ns: Netns): void {
  const made = ns.run(() => spawnSync("ip", ["link", "add", "d0", "type", "veth", "peer", "name", "d1"]));
  assert.equal(made.status, 0, String(made.stderr));
}

test("26: interfaces of one name and number in two namespaces have dispatchers of their own", async () => {
  using lab = new DispatcherLab();
  using other = Netns.create();
  sameInterfaces(other);
  const [here, there] = [await loadXdp(lab), await loadXdp(lab)];
  const link = await attachIn(lab, lab.ns, here, "xdp");
  const shown = (): string => other.run(() => spawnSync("ip", ["link", "show", "d0"], { encoding: "utf8" }).stdout);
  const before = shown();
  assert.match(before, /d0@d1/);
  await attachIn(lab, lab.ns, here, "xdp");
  assert.equal(shown(), before, "the other namespace is as it was");
  const elsewhere = await attachIn(lab, other, there, "xdp");
  assert.deepEqual(elsewhere.details.key, { ...link.details.key, nsid: other.id });
  assert.match(shown(), /prog\/xdp/);
  assert.deepEqual(
    [...lab.dispatcher.state().dispatchers.values()].map(({ revision }) => revision),
    [2, 1],
  );
  lab.send(2);
  assert.deepEqual([lab.hits(here), lab.hits(there)], [4, 0]);
  assert.deepEqual(lab.findings(), []);
});

test("27: an interface that is renamed keeps its dispatcher, under its new name", async () => {
  using lab = new DispatcherLab();
  const [one, two] = [await loadXdp(lab, "alpha"), await loadXdp(lab, "beta")];
  await lab.attach(one, "xdp");
  lab.sh("ip link set d0 down; ip link set d0 name new0; ip link set new0 up");
  await assert.rejects(lab.attach(two, "xdp"), { code: "DEVICE_MISSING" });
  await lab.attach(two, "xdp", { device: "new0" });
  const record = lab.record("xdp", "new0")!;
  assert.deepEqual([record.revision, record.device], [2, "new0"]);
  assert.deepEqual(
    [...lab.dispatcher.state().links.values()].map(({ details }) => (details as MemberLink["details"]).device),
    ["new0", "new0"],
  );
  assert.deepEqual(lab.findings(), []);
});

test("28: when the namespace is gone, detaching from XDP and unloading leave nothing", async () => {
  using lab = new DispatcherLab();
  const [detached, unloaded] = [await loadXdp(lab), await lab.load("tc-members", "tc", "pipe_count")];
  const links = await (async (): Promise<MemberLink[]> => {
    using gone = Netns.create();
    sameInterfaces(gone);
    return [await attachIn(lab, gone, detached, "xdp"), await attachIn(lab, gone, unloaded, "tc-egress")];
  })();
  lab.restart();
  assert.equal(lab.dispatcher.state().links.size, 2, "rows stay until somebody changes something");
  await lab.unload(unloaded);
  // The kernel takes a namespace down in its own time: the change before may have healed this one away already.
  await detachLinks(lab.dispatcher, [links[0]!.id], { ignoreMissing: true });
  const { links: left, dispatchers, programs } = lab.dispatcher.state();
  assert.deepEqual([left.size, dispatchers.size, [...programs.keys()]], [0, 0, [detached.id]]);
  for (const hook of ["xdp", "tc-egress"]) assert.deepEqual(readdirSync(`${lab.paths.pins}/${hook}`), []);
  assert.deepEqual(lab.findings(), []);
});

test("28: when the namespace is gone, a link of TCX is detached and leaves no pin", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const program = await lab.load("tc-members", "tcx", "ok_count");
  const link = await (async () => {
    using gone = Netns.create();
    sameInterfaces(gone);
    const attach = {
      programId: program.id,
      side: "ingress" as const,
      device: "d0",
      netns: gone.path,
      priority: 1,
    };
    return (await attachTcx(lab.dispatcher, attach)).items[0]!;
  })();
  lab.restart();
  await lab.detach(link.id);
  assert.equal(lab.dispatcher.state().links.size, 0);
  assert.deepEqual(readdirSync(`${lab.paths.pins}/links`), []);
  assert.deepEqual(lab.findings(), []);
});
