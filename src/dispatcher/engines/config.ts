/** The configuration of a dispatcher, as it stands in the kernel. */
import { FLAG_XDP_HAS_FRAGS } from "../../linux/bpf/program.ts";
import type { DispatcherConfig } from "../config-codec.ts";
import { FILTER_PRIORITY } from "../model.ts";
import { type BuildRequest, hasFrags } from "./engine.ts";

/** What the kernel is told of a revision. */
export const configOf = (request: BuildRequest): DispatcherConfig => ({
  isXdpFrags: hasFrags(request),
  revision: request.revision,
  members: request.members.map(({ mask, linkId, frags }) => ({
    chainCallActions: mask,
    runPriority: FILTER_PRIORITY,
    programFlags: frags ? FLAG_XDP_HAS_FRAGS : 0,
    linkId,
  })),
});
