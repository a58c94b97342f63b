/** Registry credentials, and what a registry says it wants (RFC 9110, the `WWW-Authenticate` header). */
import { ImageFault } from "./fault.ts";

/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const PART = new RegExp(
  `(?<name>${TOKEN})(?:\\s*=\\s*(?:"(?<quoted>(?:[^"\\\\]|\\\\.)*)"|(?<plain>[^\\s,"]+)))?`,
  "gy",
);
const GAP = /[\s,]*/gy;

/** Reads every challenge of a header; stops at what is none. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; params: Map<string, string> }[] = [];
  for (let at = 0; ;) {
    GAP.lastIndex = at;
    GAP.exec(header);
    PART.lastIndex = GAP.lastIndex;
    const groups = PART.exec(header)?.groups;
    if (!groups) return found;
    at = PART.lastIndex;
    const name = groups["name"]!.toLowerCase();
    const value = groups["quoted"]?.replaceAll(/\\(.)/g, "$1") ?? groups["plain"];
    if (value === undefined) found.push({ scheme: name, params: new Map() });
    else found.at(-1)?.params.set(name, value);
  }
}

/**
 * Checks credentials, the base64 of `user:password`, and gives the header's value for them.
 *
 * @throws ImageFault IMAGE_CREDENTIALS, which does not quote them
 */
export function basicAuthorization(credentials: string): string {
  const refuse = (reason: string): ImageFault => new ImageFault("IMAGE_CREDENTIALS", { reason });
  const text = credentials.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw refuse("they are no base64");
  const decoded = Buffer.from(text, "base64");
  if (!decoded.includes(":")) throw refuse("they hold no colon between user and password");
  return `Basic ${decoded.toString("base64")}`;
}
