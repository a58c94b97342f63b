/** Lines of a link, from the settings that they come from. */
import type { Given } from "../upstream/given.ts";
import { type Entry, givenText } from "./imported.ts";

/** Makes lines, each with where its value was given. */
export class Lines {
  readonly given: ReadonlyMap<string, Given>;
  readonly #program: string;

  constructor(given: ReadonlyMap<string, Given>, program: string) {
    this.given = given;
    this.#program = program;
  }

  /** A line for a setting. @param note for when it is not plainly what was given */
  from(field: string, key: string, value: Entry["value"], note?: string): Entry {
    const given = this.given.get(field);
    if (!given) return { key, value, note: `the default of ${this.#program}` };
    const where = given.where && { where: given.where };
    return { key, value, note: note === undefined ? givenText(given) : `${givenText(given)}: ${note}`, ...where };
  }

  /** A line for a file. Services are started in `/`, and paths of sluice are relative to its configuration. */
  file(field: string, key: string, path: string): Entry {
    if (path.startsWith("/")) return this.from(field, key, path);
    return this.from(field, key, `/${path}`, `"${path}", which is below / when it is started as a service`);
  }

  /** Lines for what the program does and has no setting for. */
  fixed(values: Readonly<Record<string, Entry["value"]>>): Entry[] {
    return Object.entries(values).map(([key, value]) => ({ key, value, note: `as ${this.#program} does` }));
  }
}
