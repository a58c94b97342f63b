/**
 * Bringing store, kernel and pins together again after a crash, or after somebody's hands were in them. The store is the
 * truth: a hook that runs another revision of ours, or none, gets the one that the store names, built anew when it is
 * lost; what the store holds of things that are gone for good (an interface, a program) goes; and pins of ours that the
 * store does not know go. Nothing else is touched.
 */
import type { DispatcherAction, Place } from "../actions.ts";
import {
  type DispatcherRecord,
  type PlannedDispatcher,
  isMember,
  keyText,
  type LinkRecord,
  type MemberLink,
  membersOf,
  type ProgramRecord,
  type State,
} from "../model.ts";
import { type HookView, programPinned, type SeenPin, type Snapshot } from "../observed.ts";
import { linkPin, revisionFolder } from "../paths.ts";
import { planForget } from "./detach.ts";
import { holderBinding, holderRemoval, planRebuild, renewed, type RebuildInputs } from "./rebuild.ts";
import type { Segment } from "./segment.ts";

/** What healing is planned from. */
export interface HealInputs extends Pick<RebuildInputs, "engine" | "now"> {
  readonly snapshot: Snapshot;
}

const placeOf = ({ key, device, netns }: DispatcherRecord): Place => ({
  key,
  device,
  ...(netns !== undefined && { netns }),
});

/** Programs that the kernel does not hold for us any more. An id alone is no proof: the kernel gives ids again. */
const deadPrograms = (snapshot: Snapshot): ProgramRecord[] =>
  [...snapshot.state.programs.values()].filter(
    ({ id }) => snapshot.state.bygone.has(id) || !snapshot.programs.has(id) || !programPinned(snapshot, id),
  );

function forget(old: DispatcherRecord): Segment {
  const { key, revision } = old;
  return {
    prepare: [],
    changes: [
      { kind: "dispatcher.delete", key },
      { kind: "clsact.forget", nsid: key.nsid, ifindex: key.ifindex },
    ],
    cleanup: [{ kind: "revision.remove", place: placeOf(old), revision }, ...holderRemoval(old)],
  };
}

const put = (dispatcher: PlannedDispatcher, members: readonly MemberLink[]) =>
  ({ kind: "dispatcher.put", dispatcher, members }) as const;

/** Puts the stored revision, whose pin is whole, on a hook that runs another one or none. */
function restore(old: DispatcherRecord, hook: HookView, members: readonly MemberLink[]): Segment {
  const place = { ...placeOf(old), device: hook.device };
  const { attachment, revision, key } = old;
  if (hook.programId !== undefined) {
    const swap: DispatcherAction = { kind: "hook.swap", place, attachment, from: 0, to: revision };
    return { prepare: [swap], changes: [], cleanup: [] };
  }
  const clsact: DispatcherAction[] =
    attachment.via === "clsact" && hook.qdisc === undefined ? [{ kind: "clsact.add", place }] : [];
  const attach: DispatcherAction = { kind: "hook.attach", place, revision, attachment, binds: holderBinding(key) };
  return {
    prepare: [...clsact, attach],
    changes: [put({ ...old, attachment: renewed(key, attachment) }, members)],
    cleanup: [],
  };
}

/** Whether somebody else is where our attachment was: then it is not healed, and the doctor names them. */
const isTaken = ({ foreignXdp, qdisc }: HookView, old: DispatcherRecord): boolean =>
  old.attachment.via === "clsact" ? qdisc !== undefined && qdisc !== "clsact" : foreignXdp !== undefined;

function healDispatcher(old: DispatcherRecord, inputs: HealInputs, dead: ReadonlySet<number>): Segment | undefined {
  const { snapshot } = inputs;
  const { state } = snapshot;
  const text = keyText(old.key);
  const hook = snapshot.hooks.get(text);
  const members = membersOf(state, old.key);
  if (state.bygone.has(text) || hook?.place !== "present") return forget(old);
  if (hook.programId === undefined && isTaken(hook, old)) return undefined;
  const pinned = snapshot.pins.find((pin) => pin.path === revisionFolder(old.key, old.revision));
  const whole =
    pinned?.programId !== undefined && pinned.programId === old.programId && hasAllSlots(old, pinned, members);
  if (!whole || members.some(({ programId }) => dead.has(programId))) {
    const remove = new Set(members.filter(({ programId }) => dead.has(programId)).map(({ id }) => id));
    const { key, device, netns } = old;
    return planRebuild(
      { key, device, ...(netns !== undefined && { netns }), add: [], remove },
      { ...inputs, state, hook },
    );
  }
  if (hook.programId !== old.programId) return restore(old, hook, members);
  const { attachment } = old;
  const holder = attachment.via === "clsact" ? attachment.handle : attachment.linkId;
  if (hook.holder === undefined || hook.holder === holder) return undefined;
  const renewedAttachment =
    attachment.via === "clsact" ? { ...attachment, handle: hook.holder } : { ...attachment, linkId: hook.holder };
  return { prepare: [], changes: [put({ ...old, attachment: renewedAttachment }, members)], cleanup: [] };
}

/** An extension whose link's pin is lost leaves its slot empty. */
const hasAllSlots = (old: DispatcherRecord, pin: SeenPin, members: readonly MemberLink[]): boolean =>
  old.engine === "fused" || pin.slots?.length === members.length;

/** Links of their own that the kernel does not hold any more, or whose pin is lost, or whose program is. */
function deadLinks(snapshot: Snapshot): LinkRecord[] {
  const dead = new Set(deadPrograms(snapshot).map(({ id }) => id));
  return [...snapshot.state.links.values()].filter((link) => {
    if (isMember(link)) return false;
    const pin = snapshot.pins.find(({ path }) => path === linkPin(link.id));
    return dead.has(link.programId) || pin?.kernelId === undefined || pin.kernelId !== link.kernelLinkId;
  });
}

/** Whether the store explains a pin. */
function isKnown(pin: SeenPin, state: State): boolean {
  const programs = [...state.programs.values()];
  switch (pin.kind) {
    case "program":
    case "extension":
      return state.programs.has(pin.id);
    case "map-set":
      return programs.some(({ mapSet }) => mapSet === pin.id);
    case "shared-map":
      return programs.some(({ sharedMaps }) => sharedMaps.includes(pin.name));
    case "link":
      return state.links.has(pin.id);
    case "hook":
      return state.dispatchers.has(keyText(pin.key));
    case "revision":
      return state.dispatchers.get(keyText(pin.key))?.revision === pin.revision;
  }
}

/** Pins of ours that no row explains. */
export const orphanPins = (snapshot: Snapshot): SeenPin[] =>
  snapshot.pins.filter((pin) => !isKnown(pin, snapshot.state));

/** Takes a dispatcher off its hook that no row explains, then removes its pins. */
function clearOrphans(snapshot: Snapshot): Segment {
  const orphans = orphanPins(snapshot);
  const detach: DispatcherAction[] = [...snapshot.hooks.values()]
    .filter((hook) => hook.programId !== undefined && !snapshot.state.dispatchers.has(keyText(hook.key)))
    .flatMap((hook) => {
      const { key, device, holder, via } = hook;
      // What a link holds goes with the link's pin.
      if (via !== "clsact" || holder === undefined) return [];
      const netns = snapshot.state.namespaces.get(key.nsid);
      const place = { key, device, ...(netns !== undefined && { netns }) };
      return { kind: "hook.detach" as const, place, attachment: { via, handle: holder }, revision: 0 };
    });
  return {
    prepare: [],
    changes: [],
    cleanup: [
      ...detach,
      ...orphans.map(({ path, kind }) => ({
        kind: "pin.remove" as const,
        path,
        folder: kind === "map-set" || kind === "revision",
      })),
    ],
  };
}

/** What heals, in parts that stand for themselves. */
export interface Healing {
  /** One for each dispatcher that needs it: one that cannot be mended keeps nobody else from it. */
  readonly dispatchers: readonly Segment[];
  /** Everything else, which may take rows away that a dispatcher stands on: not before those are mended. */
  readonly rest: readonly Segment[];
}

/** Plans healing; nothing when all is well. */
export function planHeal(inputs: HealInputs): Healing {
  const { snapshot } = inputs;
  const { state } = snapshot;
  const dead = deadPrograms(snapshot);
  const deadIds = new Set(dead.map(({ id }) => id));
  const dispatchers = [...state.dispatchers.values()].flatMap(
    (dispatcher) => healDispatcher(dispatcher, inputs, deadIds) ?? [],
  );
  const links = deadLinks(snapshot).map(({ id }): Segment => ({
    prepare: [],
    changes: [{ kind: "link.delete", id }],
    cleanup: [{ kind: "pin.remove", path: linkPin(id), folder: false }],
  }));
  const programs = planForget([...deadIds], state);
  const rest = [...links, ...programs, clearOrphans(snapshot)].filter(
    ({ prepare, changes, cleanup }) => prepare.length + changes.length + cleanup.length > 0,
  );
  return { dispatchers, rest };
}
