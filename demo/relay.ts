/** The relay: streams from a source that nothing routes to, across a box that filters by reverse path, to somebody who watches. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Netns } from "../src/linux/netns.ts";
import { Daemon } from "./daemon.ts";
import { ip } from "./lab.ts";
import { sluice } from "./sluice.ts";

const COMMAND = join(import.meta.dirname, "../bin/sluice");
/** Of no network that the box knows. */
const CAMERA = "192.0.2.77";
const RATE = 20_000;
const SECONDS = 2;

const CONFIGURATION = `
[log]
levels = "warning"

[relay]

[[relay.rules]]
name = "video"
interface = "in0"
group = "239.1.1.1"
port = 5000
outputs = [{ interface = "out0", group = "239.2.2.2", port = 6000, ttl = 8 }]

[[relay.rules]]
name = "audio"
interface = "in0"
group = "239.1.1.2"
port = 5000
engine = "user"
outputs = [{ interface = "out0", ttl = 8 }]
`;

/** A camera, the box, and a viewer. */
class Segments implements Disposable {
  readonly camera = Netns.create();
  readonly box = Netns.create();
  readonly viewer = Netns.create();

  constructor() {
    ip(this.box, [
      `link add in0 type veth peer name cam0 netns ${this.camera.path}`,
      `link add out0 type veth peer name tv0 netns ${this.viewer.path}`,
      "addr add 10.1.0.1/24 dev in0",
      "addr add 10.2.0.1/24 dev out0",
      "link set in0 up",
      "link set out0 up",
    ]);
    ip(this.camera, [`addr add ${CAMERA}/32 dev cam0`, "link set cam0 up"]);
    ip(this.viewer, ["addr add 10.2.0.2/24 dev tv0", "link set tv0 up"]);
    this.box.run(() => {
      for (const which of ["all", "in0", "out0"]) writeFileSync(`/proc/sys/net/ipv4/conf/${which}/rp_filter`, "1");
    });
  }

  [Symbol.dispose](): void {
    for (const ns of [this.camera, this.box, this.viewer]) ns[Symbol.dispose]();
  }
}

/** What of the sink's answer counts here. */
interface SinkSaid {
  readonly streams: readonly { readonly packets: number; readonly lost: number; readonly duplicates: number }[];
}

/** Runs the scene. @param heading says what comes @returns whether every packet arrived once, and was counted */
export async function relayScene(heading: (text: string) => void): Promise<boolean> {
  heading(`Two streams from ${CAMERA}, which the box has no route to, with its rp_filter on; nothing routes multicast`);
  using segments = new Segments();
  await using daemon = await Daemon.start({
    netns: segments.box.path,
    toml: CONFIGURATION,
    ready: async (client) => {
      const { rules } = await client.call("relay.rules", {});
      return rules.length === 2 && rules.every(({ carriedBy }) => carriedBy !== null);
    },
  });
  sluice(["relay", "rule", "list"]);
  const places = ["239.2.2.2:6000@tv0", "239.1.1.2:5000@tv0"];
  const words = ["relay", "sink", "--json", "--netns", segments.viewer.path, ...places];
  console.log(`\n$ sluice relay sink ${places.join(" ")} &`);
  const sink = spawn(COMMAND, words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(sink, "exit");
  await once(sink.stderr, "data");
  const shape = ["--rate", String(RATE), "--seconds", String(SECONDS), "--source", CAMERA];
  const from = ["239.1.1.1:5000@cam0", "239.1.1.2:5000@cam0", "--netns", segments.camera.path];
  sluice(["relay", "generate", ...shape, ...from]);
  const { streams } = JSON.parse(await text(sink.stdout)) as SinkSaid;
  await ended;
  for (const [index, { packets, lost, duplicates }] of streams.entries())
    console.log(`${places[index]}: ${packets} came, ${lost} lost, ${duplicates} twice`);
  sluice(["relay", "stats"]);
  const { rules } = await daemon.client.call("relay.rules", {});
  const sent = RATE * SECONDS;
  const counted = rules.every(({ counters }) => counters.packets === sent);
  const arrived = streams.every(({ packets, lost, duplicates }) => packets === sent && lost + duplicates === 0);
  const whole = streams.length === rules.length && arrived && counted;
  console.log(
    whole
      ? "Every packet arrived once, and was counted by its rule."
      : "Some packet was lost, came twice, or was not counted.",
  );
  return whole;
}
