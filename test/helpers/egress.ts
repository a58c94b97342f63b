/** The classifier's place as the command line opens it, on a test's own installation. */
import { systemClock } from "../../src/core/clock.ts";
import type { TcHost } from "../../src/core/tc-place.ts";
import { openTcHost } from "../../src/dispatcher/tc-host.ts";
import { type Paths, pathsBelow } from "../../src/linux/paths.ts";
import type { ShaperPlace } from "../../src/shaper/shaper.ts";

/** Opens it for the shaper, in a namespace by name or path. */
export const egressAt = (paths: Paths, netns: string): TcHost =>
  openTcHost({ side: "egress", paths, netns, owner: "sluice-shaper", clock: systemClock });

/** Where a shaper works, below a root. */
export function shaperPlace(root: string, netns: string): ShaperPlace {
  const paths = pathsBelow(root);
  return { paths, netns, egress: () => egressAt(paths, netns) };
}
