/** A table `[autorate.links.NAME]` being read, with `[autorate]` behind it for what all links share. */
import type { ConfigTable, Keys } from "../../core/config-table.ts";
import type { Code } from "../../core/codes.ts";
import { type Location, type Params, type Problem, problem } from "../../core/errors.ts";
import { defaultOf, type Key } from "./key.ts";

/** Where positions come from. */
export type Place = (path: string) => Location;

/** What is told of a link while it is read. */
export class LinkTable {
  readonly name: string;
  readonly table: ConfigTable<Keys>;
  readonly warnings: Problem[] = [];
  /** Name or path; the rest is read by its defaults. Empty when what is said cannot be used. */
  controller = "";
  readonly #common: ConfigTable<Keys>;
  readonly #at: Place;

  /** @param common `[autorate]`; its own problems are told by whoever reads it by itself */
  constructor(name: string, table: ConfigTable<Keys>, common: ConfigTable<Keys>, at: Place) {
    this.name = name;
    this.table = table;
    this.#common = common;
    this.#at = at;
  }

  /** `autorate.links.wan.download_base`. */
  path(key: string): string {
    return `autorate.links.${this.name}.${key}`;
  }

  /** Whether the link itself has the key. */
  has(key: Key<unknown>): boolean {
    return this.table.has(key.name);
  }

  /** What the link says, else `[autorate]`; undefined when neither does, or what is said cannot be used (then noted). */
  said<T>(key: Key<T>): T | undefined {
    const from = this.has(key) ? this.table : this.#common;
    return from.optional(key.name, key.type.read);
  }

  /** What is said, else the default. */
  value<T>(key: Key<T> & { readonly default: T }): T {
    return this.said(key) ?? defaultOf<T>(key, this.controller) ?? key.default;
  }

  /** Notes why what stands there cannot be used. */
  refuse(key: Key<unknown>, reason: string): undefined {
    return this.table.refuse(key.name, reason);
  }

  /** Notes something worth knowing about a key. */
  warn(code: Code, key: Key<unknown>, params: Params): void {
    const path = this.path(key.name);
    this.warnings.push(problem(code, { ...params, path }, this.#at(path)));
  }
}
