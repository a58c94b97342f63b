/**
 * The doctor: compares three witnesses (the store, the kernel, the pins) and says where they disagree. Each rule is a row:
 * what it looks for, how bad that is, and why it matters. It changes nothing; `sluice gc` mends what is sluice's own.
 */
import { type DispatcherRecord, isMember, keyText, membersOf } from "./model.ts";
import type { HookView, Snapshot } from "./observed.ts";
import { hookPin, linkPin, revisionFolder, revisionPin } from "./paths.ts";
import { orphanPins } from "./plan/heal.ts";

/** How bad a finding is: an error means that packets or probes do not run what the store says. */
export type Severity = "error" | "warning";

/** Something that is not as it should be. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
}

/** A rule of the doctor. */
export interface Rule {
  readonly name: string;
  readonly severity: Severity;
  /** One line. */
  readonly brief: string;
  /** Why it matters, how it comes about, and what to do. */
  readonly rationale: string;
  /** One text for each finding. */
  readonly find: (snapshot: Snapshot) => readonly string[];
}

const dispatchers = (snapshot: Snapshot): DispatcherRecord[] => [...snapshot.state.dispatchers.values()];
const nameOf = ({ key, device }: DispatcherRecord): string => `The ${key.hook} dispatcher on ${device}`;
const hookOf = (snapshot: Snapshot, { key }: DispatcherRecord): HookView | undefined =>
  snapshot.hooks.get(keyText(key));
const present = (snapshot: Snapshot): DispatcherRecord[] =>
  dispatchers(snapshot).filter((dispatcher) => hookOf(snapshot, dispatcher)?.place === "present");
/** Who is where our attachment was, in words; empty when nobody is. */
function inTheWay({ foreignXdp, qdisc }: HookView): string {
  if (foreignXdp) return `; XDP has program ${foreignXdp.id} ("${foreignXdp.name}") of somebody else's`;
  return qdisc !== undefined && qdisc !== "clsact" ? `; a "${qdisc}" qdisc is where clsact was` : "";
}
const pinAt = (snapshot: Snapshot, path: string) => snapshot.pins.find((pin) => pin.path === path);

/** Every rule, in the order in which findings are shown. */
export const RULES: readonly Rule[] = [
  {
    name: "program-in-kernel",
    severity: "error",
    brief: "A program of the store is not in the kernel",
    rationale:
      "The store says that the program is loaded, the kernel holds none of that id: after a reboot, or when its pin was removed by hand. Whatever it was attached to does not run it. sluice gc removes the row and its links; load it again.",
    find: ({ state, programs }) =>
      [...state.programs.values()]
        .filter(({ id }) => state.bygone.has(id) || !programs.has(id))
        .map(({ id, name }) => `Program ${id} ("${name}") is not in the kernel`),
  },
  {
    name: "link-in-kernel",
    severity: "error",
    brief: "A link of the store is not in the kernel",
    rationale:
      "The program is attached no more, though the store says so: its pin was removed, or the interface or process it was on is gone. sluice gc removes the row; attach it again.",
    find: ({ state, links }) =>
      [...state.links.values()]
        .filter((link) => !isMember(link) && link.kernelLinkId !== undefined && !links.has(link.kernelLinkId))
        .map(({ id, programId }) => `Link ${id} of program ${programId} is not in the kernel`),
  },
  {
    name: "dispatcher-prog-in-kernel",
    severity: "error",
    brief: "A dispatcher's program is not in the kernel",
    rationale:
      "No packet can run through this dispatcher: its program is gone, with its pin and its hook. sluice gc builds it anew from its members, or removes the row when the interface is gone.",
    find: (snapshot) =>
      dispatchers(snapshot)
        .filter(({ key, programId }) => {
          return snapshot.state.bygone.has(keyText(key)) || !snapshot.programs.has(programId);
        })
        .map((dispatcher) => `${nameOf(dispatcher)} has program ${dispatcher.programId}, which is not in the kernel`),
  },
  {
    name: "dispatcher-link-in-kernel",
    severity: "error",
    brief: "A dispatcher's XDP or TCX link is gone",
    rationale:
      "The kernel's link is what attaches the dispatcher; without it packets pass every member by. It goes when its pin is removed. sluice gc attaches the same revision again.",
    find: (snapshot) =>
      present(snapshot)
        .filter(({ attachment }) => attachment.via !== "clsact")
        .filter((dispatcher) => hookOf(snapshot, dispatcher)?.programId === undefined)
        .map(
          (dispatcher) =>
            `${nameOf(dispatcher)} is not attached: its link is gone${inTheWay(hookOf(snapshot, dispatcher)!)}`,
        ),
  },
  {
    name: "tc-filter-exists",
    severity: "error",
    brief: "A dispatcher's filter on clsact is gone",
    rationale:
      "Somebody removed the filter, or the clsact qdisc with everything on it, as other tools do when they stop. Packets pass every member by. sluice gc puts the filter back.",
    find: (snapshot) =>
      present(snapshot)
        .filter(({ attachment }) => attachment.via === "clsact")
        .filter((dispatcher) => hookOf(snapshot, dispatcher)?.programId === undefined)
        .map(
          (dispatcher) =>
            `${nameOf(dispatcher)} is not attached: its filter is gone${inTheWay(hookOf(snapshot, dispatcher)!)}`,
        ),
  },
  {
    name: "dispatcher-live-program",
    severity: "error",
    brief: "A hook runs another program than the store says",
    rationale:
      "Either a change was interrupted between the swap and its record, or somebody put another program into our link or filter. sluice gc puts the recorded revision back, in one step.",
    find: (snapshot) =>
      present(snapshot).flatMap((dispatcher) => {
        const live = hookOf(snapshot, dispatcher)?.programId;
        if (live === undefined || live === dispatcher.programId) return [];
        return `${nameOf(dispatcher)} runs program ${live}, the store says ${dispatcher.programId}`;
      }),
  },
  {
    name: "place-gone",
    severity: "warning",
    brief: "A dispatcher's interface or namespace is gone",
    rationale:
      "The kernel detached everything when the interface went. The rows stay until a detach or sluice gc removes them; an interface that comes back under the same name is another one and has to be attached to again.",
    find: (snapshot) =>
      dispatchers(snapshot).flatMap((dispatcher) => {
        const place = hookOf(snapshot, dispatcher)?.place;
        if (place === undefined || place === "present") return [];
        return `${nameOf(dispatcher)} is left without its ${place === "interface-gone" ? "interface" : "network namespace"}`;
      }),
  },
  {
    name: "program-pin-exists",
    severity: "warning",
    brief: "A program's pin is missing",
    rationale:
      "The pin keeps the program alive and proves that it is ours: the kernel gives ids again, so an id without its pin may be somebody else's program. sluice gc removes the row and leaves the program of that id alone.",
    find: ({ state, pins, programs }) =>
      [...state.programs.values()]
        .filter(({ id }) => programs.has(id) && !state.bygone.has(id))
        .filter(({ id }) => !pins.some((pin) => pin.kind === "program" && pin.id === id && pin.kernelId === id))
        .map(({ id, name }) => `Program ${id} ("${name}") has no pin`),
  },
  {
    name: "link-pin-exists",
    severity: "warning",
    brief: "A link's pin is missing",
    rationale:
      "Without its pin a link lives only as long as some process holds it. sluice gc removes the row; attach the program again.",
    find: (snapshot) =>
      [...snapshot.state.links.values()]
        .filter((link) => !isMember(link) && pinAt(snapshot, linkPin(link.id)) === undefined)
        .map(({ id, programId }) => `Link ${id} of program ${programId} has no pin`),
  },
  {
    name: "dispatcher-prog-pin-exists",
    severity: "warning",
    brief: "The pin of a dispatcher's program is missing",
    rationale:
      "The hook still runs the program, but the next change cannot go back to it if it fails. sluice gc builds a new revision from the same members.",
    find: (snapshot) =>
      present(snapshot).flatMap((dispatcher) => {
        const pin = pinAt(snapshot, revisionFolder(dispatcher.key, dispatcher.revision));
        if (pin?.programId === dispatcher.programId) return [];
        return `${nameOf(dispatcher)} has no pin at ${revisionPin(dispatcher.key, dispatcher.revision)}`;
      }),
  },
  {
    name: "dispatcher-link-pin-exists",
    severity: "warning",
    brief: "The pin of a dispatcher's XDP or TCX link is missing",
    rationale:
      "The link would go with the last process that holds it, and the dispatcher with it. sluice gc attaches it anew and pins it.",
    find: (snapshot) =>
      present(snapshot).flatMap((dispatcher) => {
        if (dispatcher.attachment.via === "clsact" || pinAt(snapshot, hookPin(dispatcher.key))) return [];
        return `${nameOf(dispatcher)} has no pin at ${hookPin(dispatcher.key)}`;
      }),
  },
  {
    name: "dispatcher-link-count",
    severity: "warning",
    brief: "Slots of a dispatcher are empty",
    rationale:
      "With the freplace engine each member has a pinned link that puts it into its slot; a slot without one lets packets through to the next. sluice gc builds a new revision.",
    find: (snapshot) =>
      present(snapshot).flatMap((dispatcher) => {
        if (dispatcher.engine !== "freplace") return [];
        const pin = pinAt(snapshot, revisionFolder(dispatcher.key, dispatcher.revision));
        const members = membersOf(snapshot.state, dispatcher.key).length;
        if (pin?.slots === undefined || pin.slots.length === members) return [];
        return `${nameOf(dispatcher)} has ${members} members and ${pin.slots.length} pinned links`;
      }),
  },
  {
    name: "orphan-fs-entries",
    severity: "warning",
    brief: "Pins of ours that the store does not know",
    rationale:
      "A run that died left them, or the store was lost. They keep programs alive, and a dispatcher among them still handles packets. sluice gc removes them; they are in sluice's own folder and of its own naming.",
    find: (snapshot) =>
      orphanPins(snapshot).map(({ path, kind }) => `${path} (${kind}) belongs to nothing in the store`),
  },
  {
    name: "kernel-program-pinned-but-not-in-db",
    severity: "warning",
    brief: "Live programs of ours that the store does not know",
    rationale:
      "A pin of ours holds a program that is loaded and has no row: it was being loaded when the run died. sluice gc removes the pin, and the program goes unless something else uses it.",
    find: ({ state, pins, programs }) =>
      pins.flatMap((pin) => {
        if (pin.kind !== "program" || pin.kernelId === undefined || state.programs.has(pin.id)) return [];
        return `Program ${pin.kernelId} ("${programs.get(pin.kernelId) ?? ""}") is pinned at ${pin.path}`;
      }),
  },
  {
    name: "strange-fs-entries",
    severity: "warning",
    brief: "Names in the folder of pins that sluice never gives",
    rationale:
      "Somebody else put them there. sluice gc does not touch them; remove them by hand when you know what they are.",
    find: ({ strangePins }) => strangePins.map((path) => `${path} is not a name of sluice's`),
  },
];

/** Everything that the rules find, in their order. */
export const examine = (snapshot: Snapshot): Finding[] =>
  RULES.flatMap(({ name, severity, find }) =>
    find(snapshot).map((message): Finding => ({ rule: name, severity, message })),
  );
