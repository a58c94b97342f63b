/** What becomes of packets while the rings that they come by are not the only ones any more, or become so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rule } from "../../src/relay/model.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { said, WholeRelay } from "../helpers/whole-relay.ts";

const IN = "239.1.1.1";
const OUT = "239.2.2.2";
/** Longer than a block of a ring waits for more, ms. */
const LATE = 50;

checkFds();

const user = (group: string, more: Partial<Parameters<typeof said>[0]> = {}): Rule =>
  said({ group, outputs: [{ interface: "o2", group: "239.3.3.3" }], engine: "user", ...more });

for (const workers of [1, 2])
  test(`18, 28: rules for other kinds of frames come and go under traffic, and others have each packet once (workers: ${workers})`, async () => {
    await using lab = new WholeRelay({}, { workers });
    lab.net.listen("s1");
    const steady = user(IN, { outputs: [{ interface: "o1", group: OUT }] });
    const others = [
      user("239.1.1.7", { vlan: 7 }),
      user("ff3e::1", { outputs: [{ interface: "o2", group: "ff3e::2", source: { kind: "preserve" } }] }),
      user("10.0.0.1"),
    ];
    await lab.set(steady);
    const pids = () => lab.relay.workers().map(({ status }) => status.pid);
    const before = pids();
    const sent = await lab.sendDuring(IN, async () => {
      for (let round = 0; round < 3; round += 1)
        for (const other of others) {
          await lab.set(steady, other);
          await sleep(LATE);
          await lab.set(steady);
        }
    });
    await eventually(() => assert.equal(lab.counted(steady.id)[1]!["packets"], sent));
    await sleep(LATE);
    assert.equal(lab.counted(steady.id)[1]!["packets"], sent);
    await lab.net.received("s1", OUT, sent);
    assert.deepEqual(pids(), before);
  });
