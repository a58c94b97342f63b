/** tc handles: 32 bits, `major:minor` in hex. A qdisc is `major:` (minor 0), a class `major:minor`. */

/** A tc handle as the kernel holds it. */
export type Handle = number & { readonly __unit: "tc handle" };

/** The place of a device's root qdisc. */
export const TC_ROOT = 0xffffffff as Handle;
/** Parent of clsact and ingress qdiscs. */
export const TC_CLSACT = 0xfffffff1 as Handle;
/** Parent of filters on clsact's egress side. */
export const TC_EGRESS = 0xfffffff3 as Handle;
/** Parent of filters on clsact's ingress side. */
export const TC_INGRESS = 0xfffffff2 as Handle;

/** The handle `major:minor`. */
export const handle = (major: number, minor = 0): Handle => (major * 0x10000 + minor) as Handle;
/** The 16-bit major number. */
export const major = (h: Handle): number => h >>> 16;
/** The 16-bit minor number. */
export const minor = (h: Handle): number => h & 0xffff;

/** tc's text: `root`, `1:`, `1:2a3`, `clsact`. */
export function formatHandle(h: Handle): string {
  if (h === TC_ROOT) return "root";
  if (h === TC_CLSACT) return "ffff:fff1";
  return `${major(h).toString(16)}:${minor(h) === 0 ? "" : minor(h).toString(16)}`;
}

/** Parses `1:`, `1:2a3` or `root`; undefined when the text is no handle. */
export function parseHandle(text: string): Handle | undefined {
  if (text === "root") return TC_ROOT;
  const match = /^(?:0x)?([0-9a-f]{1,4}):(?:0x)?([0-9a-f]{0,4})$/i.exec(text);
  return match ? handle(Number.parseInt(match[1]!, 16), Number.parseInt(match[2] || "0", 16)) : undefined;
}
