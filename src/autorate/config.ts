/** The `[autorate]` part of `sluice.toml`, checked and with its defaults filled in. Units as in model.ts. */
import type { Both } from "../core/both.ts";
import type { Handle } from "../core/tc/handle.ts";
import type { Bounds, ProbeMode } from "./model.ts";

/** What is set to a rate. */
export type TargetSpec =
  /** Whatever shapes this interface: its CAKE wherever it hangs, else a TBF at the root, else the one class below an HTB. */
  | { readonly kind: "auto" | "cake" | "tbf"; readonly device: string }
  | { readonly kind: "htb"; readonly device: string; readonly classid: Handle }
  /** A node of the shaper's tree, by its name in network.json. */
  | { readonly kind: "site"; readonly name: string };

/** One direction of a link. */
export interface DirectionConfig {
  readonly target: TargetSpec;
  readonly bounds: Bounds;
  /** Delay over the baseline that counts as bloat, ms. */
  readonly threshold: number;
  /** False: measured and decided, but never written. */
  readonly adjust: boolean;
}

/** Where reflectors are, as seen from the shaper: on the Internet's side of it, or behind it with the subscribers. */
export const REFLECTOR_SIDES = ["internet", "subscribers"] as const;
/** One of {@link REFLECTOR_SIDES}. */
export type ReflectorSide = (typeof REFLECTOR_SIDES)[number];

/** How a link is measured. */
export interface ProbeConfig {
  /** Ways to ask, the best first; a reflector is asked in the first of them that works for it. */
  readonly modes: readonly ProbeMode[];
  /** Between two probes of one reflector, s. */
  readonly interval: number;
  /** Path of the list of reflectors (CSV); undefined: the list that comes with sluice. */
  readonly reflectorFile?: string;
  /** Where they are: towards subscribers a probe leaves with the download. The Internet when left out. */
  readonly side?: ReflectorSide;
  /** Asked at a time. */
  readonly reflectors: number;
  /** Between two searches for better ones, s. */
  readonly reselect: number;
  /** Probes leave by this interface (SO_BINDTODEVICE). */
  readonly sourceInterface?: string;
  /** From this address. */
  readonly sourceAddress?: string;
  /** With this mark (SO_MARK), for policy routing. */
  readonly fwmark?: number;
}

/** What is done while no reflector answers. */
export type OnSilence = "hold" | "base" | "min";

/** Plain values by their keys. */
export type Options = Readonly<Record<string, number | string | boolean>>;

/** A link: one line whose capacity varies. */
export interface LinkConfig {
  readonly name: string;
  /** `sluice`, `ewma`, `cake`, or the path of a Lua script. */
  readonly controller: string;
  /** Options of the controller, as its own table of keys says, defaults filled in; of a script whatever it is given. */
  readonly options: Options;
  /** Paths of Lua plugins, in the order in which they are asked. */
  readonly plugins: readonly string[];
  /** What `settings.plugin(name)` gives, by that name. */
  readonly pluginSettings: Readonly<Record<string, Options>>;
  /** What a Lua controller that fails in a tick makes of it. */
  readonly luaOnError: "min" | "hold";
  /** At least one of them. */
  readonly directions: Partial<Both<DirectionConfig>>;
  readonly probe: ProbeConfig;
  readonly highLoad: number;
  /** Traffic below this is none, kbit/s. */
  readonly activeRate: number;
  readonly onSilence: OnSilence;
  /** Without traffic for so long the pinging stops, s; 0: never. */
  readonly idleSleep: number;
  /** Set the base rates when sluice stops. */
  readonly restore: boolean;
  /** CSV of upstream's columns. */
  readonly statsFile?: string;
  /** CSV of the safe rates of `ewma`. */
  readonly speedHistoryFile?: string;
  /** Where every tick is written as a line of JSON. */
  readonly traceFile?: string;
}

/** All of it. */
export interface AutorateConfig {
  readonly links: readonly LinkConfig[];
}
