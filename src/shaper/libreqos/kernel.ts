/**
 * What comes of tc's lines when they are run: which numbers each writes into the kernel, what the kernel takes away again
 * when later lines come, and what it never takes. Nothing is run here.
 *
 * tc refuses a rate of 0; as rates come down the tree, all below such a class has one too. A leaf qdisc goes when its class
 * gets a child. test/netns/libreqos-lines.test.ts holds this to a real kernel.
 */
import type { ClassAt } from "../../core/tc/class.ts";
import { type Handle, handle } from "../../core/tc/handle.ts";
import { parseQdisc } from "../../core/tc/parse.ts";
import type { Qdisc, QdiscAt } from "../../core/tc/qdisc.ts";
import { type BitsPerSecond, type Bytes, bitsPerSecond, bytes, parseRate } from "../../core/units.ts";

/**
 * Whether what a line makes is there when the batch has run (`stays`), was there for a while (`transient`), or never is
 * (`lost`), because tc or the kernel refuses it.
 */
export type Fate = "stays" | "transient" | "lost";

/** A line about a qdisc. */
export interface QdiscLine {
  readonly kind: "qdisc";
  readonly line: string;
  readonly dev: string;
  readonly parent: Handle;
  /** 0 where the line leaves it to the kernel. */
  readonly handle: Handle;
  /** Kind and options, as tc reads them. */
  readonly text: string;
  readonly fate: Fate;
  /** Why it is lost, as half a sentence. */
  readonly reason?: string;
}

/** A line about a class. */
export interface ClassLine {
  readonly kind: "class";
  readonly line: string;
  readonly dev: string;
  readonly major: number;
  readonly minor: number;
  /** 0 for the HTB itself. */
  readonly parentMinor: number;
  /** Rates as printed: what is cut off there does not reach the kernel. */
  readonly rate: string;
  readonly ceil: string;
  readonly quantum: number;
  readonly prio: number;
  readonly fate: Fate;
  /** Why it is lost, as half a sentence. */
  readonly reason?: string;
}

/** A line of `linux_tc.txt`, what it says, and what comes of it; {@link objectOf} has what it makes. */
export type LibreqosCommand = QdiscLine | ClassLine;

/** What a line makes. */
export type TcObject =
  | { readonly kind: "qdisc"; readonly at: QdiscAt }
  | { readonly kind: "class"; readonly at: ClassAt };

/** tc has 16 bits for it; LibreQoS counts on. */
export const LARGEST_MINOR = 0xffff;

/** Why there is no class with this rate. tc does read "nan", but what it then writes is nobody's wish. */
function rateFault(rate: string): string | undefined {
  if (rate === "0kbit") return 'tc says "rate" is required';
  return /^\d/.test(rate) ? undefined : `the rate ${rate} is no number above 0`;
}

const lost = <T extends LibreqosCommand>(line: T, reason: string): T => ({ ...line, fate: "lost", reason });

/** What stands on one device. */
interface Standing {
  readonly classes: Set<Handle>;
  /** Index of the line with the leaf of a class. */
  readonly leaves: Map<Handle, number>;
}

/** Follows a batch, line by line. Lines come in as if all of them stayed. */
export class BatchFollower {
  readonly commands: LibreqosCommand[] = [];
  readonly #devices = new Map<string, Standing>();
  readonly #qdiscFaults = new Map<string, string | undefined>();

  /** Takes the next line. */
  add(line: LibreqosCommand): void {
    let device = this.#devices.get(line.dev);
    if (!device) this.#devices.set(line.dev, (device = { classes: new Set(), leaves: new Map() }));
    this.commands.push(line.kind === "class" ? this.#class(line, device) : this.#qdisc(line, device));
  }

  #class(line: ClassLine, { classes, leaves }: Standing): ClassLine {
    const { major, minor, parentMinor } = line;
    if (minor > LARGEST_MINOR) return lost(line, `the class id ${minor.toString(16)} has more than 16 bits`);
    const fault = rateFault(line.rate);
    if (fault !== undefined) return lost(line, fault);
    classes.add(handle(major, minor));
    if (parentMinor === 0) return line;
    const parent = handle(major, parentMinor);
    const leaf = leaves.get(parent);
    if (leaf !== undefined) this.commands[leaf] = { ...this.commands[leaf]!, fate: "transient" };
    return line;
  }

  #qdisc(line: QdiscLine, { classes, leaves }: Standing): QdiscLine {
    const fault = this.#qdiscFault(line.text);
    if (fault !== undefined) return lost(line, fault);
    if (line.handle !== 0) return line;
    if (!classes.has(line.parent)) return lost(line, "its class is not there");
    leaves.set(line.parent, this.commands.length);
    return line;
  }

  #qdiscFault(text: string): string | undefined {
    if (!this.#qdiscFaults.has(text)) {
      const parsed = parseQdisc(text);
      this.#qdiscFaults.set(text, "problem" in parsed ? parsed.problem : undefined);
    }
    return this.#qdiscFaults.get(text);
  }
}

/** tc's burst where none is given: 1600 bytes, and what the rate sends in a tick of its clock of 1 GHz (tc/q_htb.c). */
const defaultBurst = (rate: BitsPerSecond): Bytes => bytes(1600 + Math.floor(rate / 8 / 1e9));

const rateOf = (text: string): BitsPerSecond => bitsPerSecond(Math.round(parseRate(text) ?? 0));

/** What a line makes, with every number that tc would write into the kernel; undefined for one that is lost. */
export function objectOf(command: LibreqosCommand): TcObject | undefined {
  if (command.fate === "lost") return undefined;
  if (command.kind === "qdisc") {
    const { handle: own, parent, text } = command;
    return { kind: "qdisc", at: { handle: own, parent, qdisc: parseQdisc(text) as Qdisc } };
  }
  const { major, minor, parentMinor, prio } = command;
  const rate = rateOf(command.rate);
  // tc takes a ceiling of 0 for one that is not given.
  const ceil = rateOf(command.ceil) || rate;
  const bursts = { burst: defaultBurst(rate), cburst: defaultBurst(ceil) };
  const htb = { rate, ceil, ...bursts, quantum: bytes(command.quantum), prio };
  return { kind: "class", at: { classid: handle(major, minor), parent: handle(major, parentMinor), htb } };
}
