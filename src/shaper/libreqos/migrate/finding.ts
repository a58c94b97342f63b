/** What a migration says: facts about the old and the new shaper, each with whom it is about. */
import type { Location } from "../../../core/errors.ts";

/** Whom or what a finding is about, and how. */
export interface FindingItem {
  /** `node "AP_1"`, `circuit "1042"`, a file. */
  readonly subject: string;
  readonly text: string;
  readonly where?: Location;
}

/** Every finding there can be, in the order in which they are shown. */
export const FINDINGS = [
  "same",
  "refused-by-libreqos",
  "refused-by-sluice",
  "capacity",
  "leaf",
  "node-maximum",
  "node-guarantee",
  "circuit-maximum",
  "circuit-guarantee",
  "circuit-rtt",
  "circuit-fast",
  "minimums",
  "link",
  "orphans",
  "unshaped",
  "depth",
  "virtual",
  "queues",
  "ids",
  "bursts",
  "unknown-hosts",
] as const;

/** Name of a finding. */
export type FindingId = (typeof FINDINGS)[number];

/** A fact. */
export interface Finding {
  readonly id: FindingId;
  /** Whether it stays as it was, is otherwise, or keeps sluice from taking the files. */
  readonly kind: "same" | "different" | "refused";
  readonly title: string;
  /** Why it is so, and what to do where something is to be done. */
  readonly why: string;
  readonly items: readonly FindingItem[];
}

/** A finding, unless it is about nobody. */
export const about = (
  id: FindingId,
  items: readonly FindingItem[],
  title: (count: number) => string,
  why: string,
): Finding[] => (items.length === 0 ? [] : [{ id, kind: "different", title: title(items.length), why, items }]);

/** `1 node`, `2 nodes`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
