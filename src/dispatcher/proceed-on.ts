/**
 * Proceed-on: after which verdicts of a member the chain goes on. A list of verdict codes for people, a bit mask for the
 * dispatcher: bit = code for XDP, bit = code + 1 for TC, so that TC_ACT_UNSPEC (-1) fits. `dispatcher_return` is what an
 * empty slot returns.
 */
import { sluiceError } from "../core/errors.ts";

/** The two families of verdicts. */
export type VerdictFamily = "xdp" | "tc";

const XDP: Readonly<Record<string, number>> = {
  aborted: 0,
  drop: 1,
  pass: 2,
  tx: 3,
  redirect: 4,
  dispatcher_return: 31,
};
const TC: Readonly<Record<string, number>> = {
  unspec: -1,
  ok: 0,
  reclassify: 1,
  shot: 2,
  pipe: 3,
  stolen: 4,
  queued: 5,
  repeat: 6,
  redirect: 7,
  trap: 8,
  dispatcher_return: 30,
};

/** Every verdict by its name (linux/bpf.h, linux/pkt_cls.h). */
export const VERDICTS: Readonly<Record<VerdictFamily, Readonly<Record<string, number>>>> = { xdp: XDP, tc: TC };

/** What a member proceeds on unless told otherwise: TC_ACT_OK ends the chain, TC_ACT_PIPE goes on. */
export const DEFAULT_PROCEED_ON: Readonly<Record<VerdictFamily, readonly number[]>> = { xdp: [2, 31], tc: [3, 30] };

const BIT_OFFSET: Readonly<Record<VerdictFamily, number>> = { xdp: 0, tc: 1 };

/** The mask of a list of codes, as an unsigned 32-bit number. */
export const proceedOnMask = (family: VerdictFamily, codes: readonly number[]): number =>
  codes.reduce((mask, code) => mask | (1 << (code + BIT_OFFSET[family])), 0) >>> 0;

/** The bit of the verdict that an empty slot gives (`dispatcher_return`). */
const EMPTY_SLOT = 0x8000_0000;

/**
 * The mask that a dispatcher runs by, unsigned: what an empty slot gives always goes on, listed or not, so that a member that
 * vanished is as good as none.
 */
export const runningMask = (family: VerdictFamily, codes: readonly number[]): number =>
  (proceedOnMask(family, codes) | EMPTY_SLOT) >>> 0;

/** The names of codes, in their order; a code without a name shows as its number. */
export function proceedOnNames(family: VerdictFamily, codes: readonly number[]): string[] {
  const names = new Map(Object.entries(VERDICTS[family]).map(([name, code]) => [code, name]));
  return codes.map((code) => names.get(code) ?? String(code));
}

/** Codes of names; each once, in the order given. @throws SluiceError USAGE that names every word that is none */
export function parseProceedOn(family: VerdictFamily, words: readonly string[]): number[] {
  const unknown = words.filter((word) => !Object.hasOwn(VERDICTS[family], word));
  if (unknown.length > 0) {
    const quoted = unknown.map((word) => `"${word}"`).join(", ");
    const known = Object.keys(VERDICTS[family]).join(", ");
    const reason = `Invalid proceed-on value ${quoted}: an ${family} program may proceed on ${known}`;
    throw sluiceError("USAGE", { reason, command: `sluice link attach ${family}` });
  }
  return [...new Set(words.map((word) => VERDICTS[family][word]!))];
}
