/** Reads qdiscs as they are written for tc: `cake diffserv4 nat rtt 50ms`. `formatQdisc` of `text.ts` is the way back. */
import { nearest } from "../nearest.ts";
import { CAKE_WORDS } from "./cake-words.ts";
import type { Qdisc } from "./qdisc.ts";
import { type Draft, minorNumber, type OptionWord, rate, sets, size, time, type Vocabulary, whole } from "./words.ts";

/** Why a text is no qdisc, as the second half of a sentence: quotes the word and says what is possible. */
export interface ParseProblem {
  readonly problem: string;
}

const NO_OPTIONS: Vocabulary = new Map();

const FQ_CODEL_WORDS: Vocabulary = new Map<string, OptionWord>([
  ["limit", whole("limit")],
  ["flows", whole("flows", 1, 65_536)],
  ["target", time("target")],
  ["interval", time("interval")],
  ["quantum", size("quantum")],
  ["ecn", sets({ ecn: true })],
  ["noecn", sets({ ecn: false })],
  ["memory_limit", size("memoryLimit")],
  ["drop_batch", whole("dropBatch")],
  ["ce_threshold", time("ceThreshold")],
]);

const TBF_WORDS: Vocabulary = new Map<string, OptionWord>([
  ["rate", rate("rate")],
  ["burst", size("burst")],
  ["buffer", size("burst")],
  ["maxburst", size("burst")],
  ["limit", size("limit")],
  ["peakrate", rate("peakrate")],
  ["mtu", size("mtu")],
  ["minburst", size("mtu")],
]);

interface Grammar {
  readonly words: Vocabulary;
  /** Fields that must be there, with the words for them. */
  readonly needs?: readonly string[];
  readonly start?: Draft;
}

const GRAMMARS: ReadonlyMap<string, Grammar> = new Map<Qdisc["kind"], Grammar>([
  ["cake", { words: CAKE_WORDS }],
  ["fq_codel", { words: FQ_CODEL_WORDS }],
  ["pfifo", { words: new Map([["limit", whole("limit")]]), needs: ["limit"] }],
  ["bfifo", { words: new Map([["limit", size("limit")]]), needs: ["limit"] }],
  ["tbf", { words: TBF_WORDS, needs: ["rate", "burst", "limit"] }],
  [
    "htb",
    {
      words: new Map([
        ["default", minorNumber("default")],
        ["r2q", whole("r2q", 1)],
      ]),
      start: { default: 0 },
    },
  ],
  ["mq", { words: NO_OPTIONS }],
  ["clsact", { words: NO_OPTIONS }],
  ["ingress", { words: NO_OPTIONS }],
]);

const problem = (text: string): ParseProblem => ({ problem: text });

/** Why a word stands for nothing. */
function unknown(word: string, what: string, possible: readonly string[]): ParseProblem {
  const near = nearest(word, possible);
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  return problem(`"${word}" is no ${what}${hint}; possible are ${possible.join(", ")}`);
}

function noOption(word: string, kind: string, words: Vocabulary): ParseProblem {
  if (words.size === 0) return problem(`"${word}" is too much: ${kind} takes no options`);
  return unknown(word, `option of ${kind}`, [...words.keys()]);
}

/** What a draft lacks as a whole; undefined when nothing. */
function lack(draft: Draft, needs: readonly string[]): ParseProblem | undefined {
  const missing = needs.filter((key) => draft[key] === undefined);
  if (missing.length > 0) return problem(`${String(draft["kind"])} needs ${missing.join(" and ")}`);
  if ((draft["peakrate"] === undefined) !== (draft["mtu"] === undefined) && draft["kind"] === "tbf")
    return problem("tbf needs peakrate and mtu together");
  return undefined;
}

/** Reads a kind and its options, in tc's words and units. */
export function parseQdisc(text: string): Qdisc | ParseProblem {
  const [kind = "", ...words] = text.trim().split(/\s+/);
  const grammar = GRAMMARS.get(kind);
  if (!grammar) return unknown(kind, "qdisc", [...GRAMMARS.keys()]);
  const draft: Draft = { kind, ...grammar.start };
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    const option = grammar.words.get(word);
    if (!option) return noOption(word, kind, grammar.words);
    if (kind === "cake" && draft["overhead"] === "raw" && touchesOverhead(option))
      return problem(`"${word}" after "raw" is not supported: "raw" stands alone`);
    if (option.takes === undefined) {
      option.apply(draft);
      continue;
    }
    i += 1;
    const value = words[i];
    if (value === undefined) return problem(`"${word}" needs ${option.takes}`);
    if (!option.apply(draft, value)) return problem(`"${word}" is "${value}", wanted ${option.takes}`);
  }
  return lack(draft, grammar.needs ?? []) ?? (draft as unknown as Qdisc);
}

/** Whether a word of CAKE would change the overhead; with `raw` in front, tc gives it another meaning. */
function touchesOverhead(option: OptionWord): boolean {
  const trial: Draft = {};
  if (option.takes === undefined) option.apply(trial);
  else option.apply(trial, "0");
  return typeof trial["overhead"] === "number";
}
