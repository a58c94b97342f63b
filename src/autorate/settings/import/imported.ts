/** What an import makes of another program's settings: links with keys and notes, and what is left behind. */
import type { Location, Problem } from "../../../core/errors.ts";
import { formatRate, bitsPerSecond } from "../../../core/units.ts";
import type { Given } from "../upstream/given.ts";
import type { Scalar } from "../value-type.ts";

/** A value as TOML has it. */
export type TomlValue = Scalar | readonly string[];

/** A line `key = value  # note`. */
export interface Entry {
  readonly key: string;
  readonly value: TomlValue;
  /** Where it comes from, or why it is so. */
  readonly note: string;
  /** Where it was set; absent for what is a default there. */
  readonly where?: Location;
}

/** A setting that is not carried over. */
export interface Left {
  /** As it is called there. */
  readonly setting: string;
  readonly value: string;
  readonly why: string;
  readonly where?: Location;
}

/** Settings of one plugin. */
export interface ImportedPlugin {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** A link. */
export interface ImportedLink {
  readonly name: string;
  readonly entries: readonly Entry[];
  /** Of the controller. */
  readonly options: readonly Entry[];
  readonly plugins: readonly ImportedPlugin[];
  readonly left: readonly Left[];
}

/** A link, or what is wrong with the settings that it should be made from. */
export interface ImportResult {
  /** Absent when a problem is an error. */
  readonly link?: ImportedLink;
  readonly problems: readonly Problem[];
}

/** `/etc/config/sqm-autorate:3`; empty for what came from no file. */
export const placeText = (where: Location | undefined): string =>
  where === undefined ? "" : [where.file, where.line].filter((part) => part !== undefined).join(":");

/** `network.upload_interface, /etc/config/sqm-autorate:3`. */
export function givenText({ as, where }: Pick<Given, "as" | "where">): string {
  const place = placeText(where);
  return place === "" ? as : `${as}, ${place}`;
}

/** A rate in kbit/s, exactly: in tc's words where these are whole bits per second. */
export function rateValue(kbit: number): TomlValue {
  const bits = kbit * 1000;
  return Number.isSafeInteger(bits) ? formatRate(bitsPerSecond(bits)) : kbit;
}

/** A name for a link, from that of an interface or a file. */
export function linkName(from: string): string {
  const name = from.replaceAll(/[^A-Za-z0-9_-]/g, "_").replace(/^-/, "_");
  return name === "" ? "link" : name.slice(0, 32);
}
