/** What the parts of the kernel executor share during one plan. */
import type { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { Bindings } from "../../core/binding.ts";
import { sluiceError } from "../../core/errors.ts";
import type { Place } from "../actions.ts";
import type { Namespaces, Space } from "../namespaces.ts";
import type { LoadedFacts } from "../state/write.ts";

/** Called at named points inside an action, so that tests can let a run die there. */
export type FaultPoint = (point: string) => void;

/** What one plan is carried out with. */
export interface KernelContext {
  /** The folder of pins, on a bpffs. */
  readonly pins: string;
  /** The store; opened when it is first needed, migrated, and closed by whoever made the context. */
  readonly db: () => DatabaseSync;
  readonly boot: string;
  readonly namespaces: Namespaces;
  readonly bindings: Bindings;
  /** Object files by their SHA-256. */
  readonly images: Map<string, Uint8Array>;
  /** Programs loaded by this plan, by the kernel's id. */
  readonly loaded: Map<number, LoadedFacts>;
  /** What went wrong in clearing up after the commit, which never takes a change back. */
  readonly warnings: string[];
  readonly fault: FaultPoint;
}

/** The absolute path of a pin. */
export const pinPath = ({ pins }: KernelContext, path: string): string => join(pins, path);

/** The namespace of a place. @throws SluiceError NETNS_MISSING when it is gone */
export function spaceOf({ namespaces }: KernelContext, { key, netns }: Place): Space {
  const space = namespaces.find(key.nsid, netns);
  if (!space) throw sluiceError("NETNS_MISSING", { name: netns ?? String(key.nsid) });
  return space;
}
