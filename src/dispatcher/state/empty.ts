/** Nothing. */
import type { State } from "../model.ts";

/** The state of a store that does not exist yet. */
export const EMPTY_STATE: State = {
  programs: new Map(),
  links: new Map(),
  dispatchers: new Map(),
  bygone: new Set(),
  clsact: new Set(),
  namespaces: new Map(),
  nextLinkId: 1,
};
