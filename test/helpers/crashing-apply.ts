/**
 * Applies an ISP and dies (death.ts) after a number of actions.
 * Arguments: root folder, namespace path, number of actions, ISP as JSON (see crash.test.ts).
 */
import { Shaper } from "../../src/shaper/shaper.ts";
import { die } from "./death.ts";
import { shaperPlace } from "./egress.ts";
import { config } from "./isp.ts";
import { ispOfSketch, type Sketch } from "./sketch.ts";

const [root, netns, after, sketch] = process.argv.slice(2) as [string, string, string, string];
const settings = config();
using shaper = Shaper.open(shaperPlace(root, netns), settings.link);
const plan = shaper.plan(ispOfSketch(JSON.parse(sketch) as Sketch), settings);
if (Number(after) === 0) die();
await shaper.apply(
  plan,
  { kind: "netlink" },
  { batch: 1, onProgress: (done) => void (done >= Number(after) && die()) },
);
