/** Which way probes travel. Pure. */
import type { Both } from "../../core/both.ts";
import type { Judged } from "../model.ts";
import type { Ear } from "./link.ts";

/** Each direction's value for the other one. */
export const swapped = <T>({ download, upload }: Both<T>): Both<T> => ({ download: upload, upload: download });

/**
 * An ear for reflectors on the subscribers' side, such as those behind a site: a probe leaves with the download, and its
 * answer comes with the upload. Whoever asked takes the way there for the upload, as it is towards the Internet.
 */
export function turned(ear: Ear): Ear {
  const turn = (sample: Judged): Judged => ({ ...sample, owd: swapped(sample.owd), delta: swapped(sample.delta) });
  return {
    take: () => {
      const { samples, outstanding } = ear.take();
      return { samples: samples.map((sample) => turn(sample)), outstanding };
    },
    deltas: (now) => swapped(ear.deltas(now)),
    pause: () => ear.pause(),
    resume: () => ear.resume(),
    reselect: () => ear.reselect(),
  };
}
