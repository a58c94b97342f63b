/** Builds and removes revisions of dispatchers. */
import { mkdirSync } from "node:fs";
import { programInfo } from "../../linux/bpf/info.ts";
import { pin, removePins } from "../../linux/bpf/pin.ts";
import { messageOf, sluiceError } from "../../core/errors.ts";
import type { DispatcherAction } from "../actions.ts";
import type { Engine } from "../engines/engine.ts";
import { freplace } from "../engines/freplace.ts";
import { fused } from "../engines/fused.ts";
import type { EngineName } from "../model.ts";
import { noteNamespace } from "../state/write.ts";
import { revisionFolder, revisionPin, slotPin } from "../paths.ts";
import { type KernelContext, pinPath } from "./context.ts";
import { missingFeature } from "./missing-feature.ts";

type RevisionAction = Extract<DispatcherAction, { kind: `revision.${string}` }>;

const ENGINES: Readonly<Record<EngineName, Engine>> = { fused, freplace };

function build(context: KernelContext, action: Extract<RevisionAction, { kind: "revision.build" }>): void {
  const { place, revision, engine, members } = action;
  const { key } = place;
  const folder = pinPath(context, revisionFolder(key, revision));
  using owned = new DisposableStack();
  try {
    if (place.netns !== undefined) noteNamespace(context.db(), key.nsid, place.netns, context.boot);
    // What a run that died left here belongs to nothing.
    removePins(folder);
    const { program, slots } = ENGINES[engine].build(context, { hook: key.hook, revision, members }, owned);
    context.fault("revision.loaded");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    pin(program.number, pinPath(context, revisionPin(key, revision)));
    context.fault("revision.pinned");
    slots.forEach((link, slot) => pin(link.number, pinPath(context, slotPin(key, revision, slot))));
    context.bindings.set(action.binds, programInfo(program.number).id);
  } catch (error) {
    removePins(folder);
    const lack = missingFeature(error, []);
    if (lack) throw lack;
    const params = { engine, place: `${key.hook} on ${place.device}`, reason: messageOf(error) };
    throw sluiceError("DISPATCHER_BUILD", params, { cause: error });
  }
}

/** Carries out an action on a revision. */
export function doRevision(context: KernelContext, action: RevisionAction): void {
  if (action.kind === "revision.build") build(context, action);
  else removePins(pinPath(context, revisionFolder(action.place.key, action.revision)));
}
