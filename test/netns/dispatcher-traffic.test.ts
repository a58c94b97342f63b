/** Rebuilding under traffic: every packet meets a whole chain, the old one or the new one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { TC_INGRESS } from "../../src/core/tc/handle.ts";
import type { HookName, ProgramRecord } from "../../src/dispatcher/model.ts";
import { programPin } from "../../src/dispatcher/paths.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { MessageWriter } from "../../src/linux/netlink/message.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeFilter } from "../../src/linux/netlink/tc/filter.ts";
import { ethernet, ipv4 } from "../../src/linux/packet/frame.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { type AttachOptions, DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { isEmulated, requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";

checkFds();

/** Packets a second, as many as a machine can send and still has time to receive; and of each revision. */
const [RATE, PACKETS_EACH] = isEmulated ? [2000, 100] : [20_000, 1000];
const REBUILDS = 20;

/** A filter of our test's own behind the dispatcher: what comes that far was not lost on the way. */
async function countBehind(lab: DispatcherLab): Promise<ProgramRecord> {
  const counter = await lab.load("tc-members", "tc", "pipe_count");
  lab.sh("tc qdisc show dev d0 | grep -q clsact || tc qdisc add dev d0 clsact");
  using program = openPin(join(lab.paths.pins, programPin(counter.id)))!;
  using socket = RtnlSocket.open(lab.ns);
  const writer = new MessageWriter();
  const place = { parent: TC_INGRESS, priority: 60, handle: 1, name: "behind", directAction: true };
  encodeFilter(writer, "add", lab.ifindex("d0"), { ...place, fd: program.number });
  socket.request(writer.finish());
  return counter;
}

async function rebuildUnderTraffic(t: TestContext, hook: HookName, more: AttachOptions = {}): Promise<void> {
  using lab = new DispatcherLab();
  const load = (name: string): Promise<ProgramRecord> =>
    hook === "xdp" ? lab.load("xdp-members", "xdp", name) : lab.load("tc-members", "tc", name);
  const [first, other, last] =
    hook === "xdp"
      ? [await load("pass_count"), await load("alpha"), await load("beta")]
      : [await load("pipe_count"), await load("pipe_count"), await load("pipe_count")];
  await lab.attach(first, hook, { priority: 0, ...more });
  await lab.attach(last, hook, { priority: 100 });
  const behind = await countBehind(lab);

  using socket = PacketSocket.open("d1", lab.ns);
  const running = await stream(socket.fd, [ethernet(ipv4("192.0.2.1", "192.0.2.2"))], {
    rate: RATE,
    limit: 40 * RATE,
  });
  const begin = performance.now();
  const already = running.sent();
  // Every revision is met by packets before the next one takes its place.
  const packets = async (): Promise<void> => {
    const from = running.sent();
    await eventually(() => assert.ok(running.sent() >= from + PACKETS_EACH));
  };
  for (let turn = 0; turn < REBUILDS / 2; turn += 1) {
    const link = await lab.attach(other, hook, { priority: 50 });
    await packets();
    await lab.detach(link);
    await packets();
  }
  const rate = (1000 * (running.sent() - already)) / (performance.now() - begin);
  const sent = await running.stop();
  await eventually(() => assert.equal(lab.hits(behind), sent, "packets that came through"));
  const counts = { sent, first: lab.hits(first), last: lab.hits(last), behind: lab.hits(behind) };
  t.diagnostic(
    `${REBUILDS} rebuilds at ${Math.round(rate).toLocaleString("en")} packets/s: ` +
      `${sent} sent, ${sent - counts.first} escaped the first program, ${sent - counts.last} the last, ` +
      `${sent - counts.behind} lost; the coming and going one saw ${lab.hits(other)}`,
  );
  assert.deepEqual(counts, { sent, first: sent, last: sent, behind: sent });
  assert.ok(lab.hits(other) > 0, "the program that came and went saw nothing");
  assert.ok(sent > REBUILDS * PACKETS_EACH);
  assert.equal(lab.record(hook)!.revision, 2 + REBUILDS);
}

test("77: twenty rebuilds under traffic lose none on XDP", (t) => rebuildUnderTraffic(t, "xdp"));

test("77: twenty rebuilds under traffic lose none on TC with clsact", (t) => rebuildUnderTraffic(t, "tc-ingress"));

test("77: twenty rebuilds under traffic lose none on TC through TCX", async (t) => {
  if (requireTcx(t)) await rebuildUnderTraffic(t, "tc-ingress", { tcHook: "tcx" });
});
