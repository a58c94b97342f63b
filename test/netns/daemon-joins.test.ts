/** Groups stay joined while the daemon is started anew, where a service manager keeps what holds them; and no longer than that. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { PATIENCE, RelayDaemonLab } from "../helpers/relay-daemon-lab.ts";
import { ServiceManager } from "../helpers/service-manager.ts";

checkFds();

/** More than a socket may hold. */
const GROUPS = Array.from({ length: 25 }, (_, i) => `239.1.1.${i + 1}`);

const rule = (group: string): string => `
[[relay.rules]]
interface = "${LAB.wan}"
group = "${group}"
port = 5000
outputs = [{ interface = "${LAB.lan}" }]
`;

/** Groups of 239/8 that the router has joined on its uplink. */
function joined(lab: RelayDaemonLab): string[] {
  const text = lab.shaped.lab.router.run(() => readFileSync("/proc/thread-self/net/igmp", "latin1"));
  const own = text.split(/^(?=\d)/m).find((block) => block.includes(`\t${LAB.wan} `)) ?? "";
  const groups = [...own.matchAll(/^\t+([0-9A-F]{8}) /gm)].map(([, hex]) => Buffer.from(hex!, "hex").toReversed());
  return groups.map((bytes) => bytes.join(".")).filter((group) => group.startsWith("239."));
}

const inOrder = (groups: readonly string[]): string[] => groups.toSorted();

test("a daemon that is killed, or started anew, leaves no group that a rule needs", async () => {
  await using lab = new RelayDaemonLab(`[relay]\n${GROUPS.map((group) => rule(group)).join("")}`);
  using manager = new ServiceManager(join(lab.shaped.root, "notify"));
  const env = { NOTIFY_SOCKET: manager.path };
  const all = (): void => assert.deepEqual(inOrder(joined(lab)), inOrder(GROUPS));
  await lab.start({ env });
  await eventually(all, PATIENCE);
  const first = manager.kept;
  assert.equal(first.size, 2);

  for (const end of ["SIGKILL", "SIGTERM"] as const) {
    const before = manager.kept;
    lab.kill(end);
    await lab.ended();
    all();
    assert.deepEqual([...manager.kept.keys()], [...before.keys()]);
    await lab.start({ env, fds: before });
    // The new one has its own, and nothing is kept of the one before.
    await eventually(() => {
      assert.equal(manager.kept.size, 2);
      for (const name of before.keys()) assert.equal(manager.kept.has(name), false, name);
    }, PATIENCE);
    all();
  }

  // What no rule needs any more is left while it runs, whoever keeps the socket.
  lab.write("sluice.toml", (text) => text.replaceAll(rule("239.1.1.25"), "").replaceAll(rule("239.1.1.24"), ""));
  lab.kill("SIGHUP");
  await eventually(() => assert.deepEqual(inOrder(joined(lab)), inOrder(GROUPS.slice(0, 23))), PATIENCE);
  for (const group of GROUPS) lab.write("sluice.toml", (text) => text.replaceAll(rule(group), ""));
  lab.write("sluice.toml", (text) => text.replace("[relay]\n", ""));
  lab.kill("SIGHUP");
  await eventually(() => assert.deepEqual([joined(lab), manager.kept.size], [[], 0]), PATIENCE);
});

test("what was kept for a relay that is no more is let go", async () => {
  await using lab = new RelayDaemonLab(`[relay]\n${rule(GROUPS[0]!)}`);
  using manager = new ServiceManager(join(lab.shaped.root, "notify"));
  const env = { NOTIFY_SOCKET: manager.path };
  await lab.start({ env });
  await eventually(() => assert.deepEqual([joined(lab), manager.kept.size], [GROUPS.slice(0, 1), 1]), PATIENCE);
  assert.equal(await lab.stop(), 0);
  lab.write("sluice.toml", (text) => text.replace(`[relay]\n${rule(GROUPS[0]!)}`, ""));
  assert.equal(joined(lab).length, 1);
  await lab.start({ env, fds: manager.kept });
  await eventually(() => assert.deepEqual([joined(lab), manager.kept.size], [[], 0]), PATIENCE);
  assert.equal(await lab.stop(), 0);
});

test("a daemon that is stopped for good, or takes away all that it made, leaves its groups", async () => {
  await using lab = new RelayDaemonLab(`[relay]\n${rule(GROUPS[0]!)}`);
  using manager = new ServiceManager(join(lab.shaped.root, "notify"));
  const env = { NOTIFY_SOCKET: manager.path };
  const one = (): void => assert.deepEqual([joined(lab), manager.kept.size], [GROUPS.slice(0, 1), 1]);
  await lab.start({ env, args: ["--cleanup"] });
  await eventually(one, PATIENCE);
  assert.equal(await lab.stop(), 0);
  assert.deepEqual([joined(lab), manager.kept.size], [[], 0]);
  await lab.start({ env });
  await eventually(one, PATIENCE);
  assert.equal(await lab.stop(), 0);
  one();
  manager.forget();
  assert.deepEqual(joined(lab), []);
});
