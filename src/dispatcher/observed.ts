/** What is seen of the kernel and of the pins, as plain values: what planners and the doctor compare with the store. */
import type { Attachment, DispatcherKey, Side, State } from "./model.ts";
import type { Pin } from "./paths.ts";

/** A program as others are told of it in errors. */
export interface SeenProgram {
  readonly id: number;
  readonly name: string;
}

/** One place for a dispatcher: a hook of an interface, as it is now. */
export interface HookView {
  readonly key: DispatcherKey;
  /** Whether the namespace and the interface are there; nothing else is known when not. */
  readonly place: "present" | "interface-gone" | "namespace-gone";
  /** The interface's name now; that of the store when it is gone. */
  readonly device: string;
  /** The program that our attachment runs now; undefined when nothing of ours is attached. */
  readonly programId?: number;
  /** The kernel's id of the pinned link that holds it, or the filter's handle. */
  readonly holder?: number;
  /** What the holder is. */
  readonly via?: Attachment["via"];
  /** An XDP program that is not ours. */
  readonly foreignXdp?: SeenProgram;
  /** The kind of qdisc where clsact goes. */
  readonly qdisc?: string;
}

/** A TCX chain as the kernel runs it, first to last. */
export interface TcxView {
  readonly nsid: number;
  readonly ifindex: number;
  readonly side: Side;
  readonly entries: readonly { readonly programId: number; readonly linkId: number }[];
}

/** A pin, with what it holds. */
export type SeenPin = Pin & {
  /** Relative to the folder of pins. */
  readonly path: string;
  /** The kernel's id of the program, map or link; undefined for folders and what cannot be opened. */
  readonly kernelId?: number;
  /** Of a revision: its program, and the slots with an extension's link. */
  readonly programId?: number;
  readonly slots?: readonly number[];
};

/** All of it at one moment. */
export interface Snapshot {
  readonly state: State;
  /** Programs that the kernel holds, by id. */
  readonly programs: ReadonlyMap<number, string>;
  /** Links that the kernel holds. */
  readonly links: ReadonlySet<number>;
  readonly pins: readonly SeenPin[];
  /** Names among our pins that we never give. */
  readonly strangePins: readonly string[];
  /** By the text of the key: every dispatcher of the store and of the pins, and those asked for. */
  readonly hooks: ReadonlyMap<string, HookView>;
  readonly tcx: readonly TcxView[];
}

/** The kernel's view of a stored program: whether its pin is there and holds it. */
export const programPinned = (snapshot: Snapshot, id: number): boolean =>
  snapshot.pins.some((pin) => pin.kind === "program" && pin.id === id && pin.kernelId === id);
