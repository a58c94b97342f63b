/** What an engine does: it makes one program of a list of members. */
import type { Fd } from "../../linux/fd.ts";
import type { BuildMember } from "../actions.ts";
import type { KernelContext } from "../executors/context.ts";
import type { EngineName, HookName } from "../model.ts";

/** What a revision is built from. */
export interface BuildRequest {
  readonly hook: HookName;
  readonly revision: number;
  /** In the order in which they run. */
  readonly members: readonly BuildMember[];
}

/** A dispatcher's program, and what puts its members into it; all of it gone when disposed unless pinned by then. */
export interface Built {
  readonly program: Fd;
  /** Links that put extensions into slots, by slot; none when the members are part of the program. */
  readonly slots: readonly Fd[];
}

/** One way of building dispatchers. */
export interface Engine {
  readonly name: EngineName;
  /** Builds; what it opens is handed to `owned`. @throws SluiceError PROGRAM_LOST, BPF_LOAD */
  build(context: KernelContext, request: BuildRequest, owned: DisposableStack): Built;
}

/** Whether a dispatcher takes packets in several buffers: only when every member does. */
export const hasFrags = ({ hook, members }: BuildRequest): boolean =>
  hook === "xdp" && members.every(({ frags }) => frags);
