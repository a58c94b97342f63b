/**
 * The lines of `linux_tc.txt`, in their order: mq, HTBs, root and default classes of one interface, then of the other,
 * then the tree in pre-order, both directions of a thing one after the other.
 *
 * Root and default classes are written `0x1:1` and `0x1:2`, without 0x in front of the minor. Nodes and circuits state
 * their minor alone (`classid 0x4`), the kernel takes the major from the parent. Nodes hang on the HTB itself and not on
 * its root class, so the line's rate does not limit them.
 */
import { type Handle, handle, TC_ROOT } from "../../core/tc/handle.ts";
import type { Both, Direction } from "../model.ts";
import type { PlacedCircuit, PlacedNode, Placement } from "./ids.ts";
import { BatchFollower, LARGEST_MINOR, type LibreqosCommand } from "./kernel.ts";
import { PythonError } from "./python/error.ts";
import { defaultClassCeil, defaultClassRate, formatRate, quantum, r2q } from "./rates.ts";
import { layoutQueues, type LibreqosSettings } from "./settings.ts";
import { pythonSqm } from "./sqm.ts";

const MQ = 0x7fff;
const ROOT = 1;
const DEFAULT = 2;
const PRIO = { root: 0, tree: 3, default: 5 } as const;
/** What a minimum of exactly 1 Mbit/s becomes on a squashed node, Mbit/s. */
const SQUASHED = 0.01;
const UNSTATED = handle(0);

/** A number as Python's `hex()` writes it. */
export const hex = (value: number): string => `0x${value.toString(16)}`;

/** One direction: the device it leaves by and what is added to a queue's number there. */
interface Side {
  readonly direction: Direction;
  readonly dev: string;
  readonly offset: number;
  /** How lines about it begin, up to the parent. */
  readonly classHead: string;
  readonly leafHead: string;
}

const sideOf = (direction: Direction, dev: string, offset: number): Side => ({
  direction,
  dev,
  offset,
  classHead: `class add dev ${dev} parent `,
  leafHead: `qdisc add dev ${dev} parent `,
});

/** The numbers of a class; a parent of 0 is the HTB. */
interface ClassNumbers {
  readonly major: number;
  readonly minor: number;
  readonly parentMinor: number;
}

/** The two rates of a class, Mbit/s. */
interface Rates {
  readonly rate: number;
  readonly ceil: number;
}

/** The end of a class line. */
interface Tail {
  readonly rate: string;
  readonly ceil: string;
  readonly quantum: number;
  readonly text: string;
}

/** Makes the ends of class lines; plans repeat, so each is made once. */
class TailWriter {
  readonly #divisor: number;
  readonly #known = new Map<number, Map<number, Map<number, Tail>>>();

  constructor(capacity: Both<number>) {
    this.#divisor = r2q(Math.max(capacity.download, capacity.upload));
  }

  /** @param share rate of which the quantum is made, where it is not the ceiling */
  tail({ rate, ceil }: Rates, prio: number, share = ceil): Tail {
    let byRate = this.#known.get(ceil);
    if (!byRate) this.#known.set(ceil, (byRate = new Map<number, Map<number, Tail>>()));
    let byPrio = byRate.get(rate);
    if (!byPrio) byRate.set(rate, (byPrio = new Map<number, Tail>()));
    let tail = byPrio.get(prio);
    if (!tail) byPrio.set(prio, (tail = this.#write(formatRate(rate), formatRate(ceil), prio, share)));
    return tail;
  }

  #write(rate: string, ceil: string, prio: number, share: number): Tail {
    const bytes = quantum(share, this.#divisor);
    if (Number.isNaN(bytes)) {
      throw new PythonError("ValueError", "cannot convert float NaN to integer", {
        reason: "A maximum rate is no number (nan)",
        remedy: "Write every maximum as a number of Mbit/s",
      });
    }
    const words = prio === PRIO.root ? "" : ` prio ${prio}`;
    return { rate, ceil, quantum: bytes, text: ` htb rate ${rate} ceil ${ceil}${words} quantum ${bytes}` };
  }
}

class LineWriter {
  readonly #settings: LibreqosSettings;
  readonly #squashed: ReadonlySet<string>;
  readonly #tails: TailWriter;
  readonly #sides: readonly [download: Side, upload: Side];
  readonly #queues: number;
  readonly #follower = new BatchFollower();

  constructor(settings: LibreqosSettings, squashed: ReadonlySet<string>) {
    const { link, capacity } = settings;
    const { queues, stickOffset } = layoutQueues(settings);
    this.#settings = settings;
    this.#squashed = squashed;
    this.#tails = new TailWriter(capacity);
    this.#queues = queues;
    this.#sides = [sideOf("download", link.lan, 0), sideOf("upload", link.internet, stickOffset)];
  }

  #qdisc(head: string, dev: string, parent: Handle, own: Handle, text: string): void {
    this.#follower.add({ kind: "qdisc", line: `${head} ${text}`, dev, parent, handle: own, text, fate: "stays" });
  }

  #class({ dev, classHead }: Side, place: string, id: ClassNumbers, prio: number, tail: Tail): void {
    const { major, minor, parentMinor } = id;
    const { rate, ceil, quantum: bytes } = tail;
    const line = classHead + place + tail.text;
    const rates = { rate, ceil, quantum: bytes, prio };
    this.#follower.add({ kind: "class", line, dev, major, minor, parentMinor, ...rates, fate: "stays" });
  }

  /** Everything of a direction that is not the tree. */
  #roots(side: Side): void {
    const { link } = this.#settings;
    // On a stick the one mq stands for both directions.
    if (side.direction === "download" || !link.onAStick) {
      this.#qdisc(`qdisc replace dev ${side.dev} root handle 7FFF:`, side.dev, TC_ROOT, handle(MQ), "mq");
    }
    for (let queue = 1; queue <= this.#queues; queue += 1) this.#queue(side, queue + side.offset);
  }

  #queue(side: Side, major: number): void {
    const { capacity, defaultSqm } = this.#settings;
    const { dev, direction, leafHead } = side;
    const top = hex(major);
    const line = capacity[direction];
    const whole = this.#tails.tail({ rate: line, ceil: line }, PRIO.root);
    const rest = { rate: defaultClassRate(line), ceil: defaultClassCeil(line) };
    const share = this.#tails.tail(rest, PRIO.default, line);
    const [root, fallback] = [`${top}:${ROOT}`, `${top}:${DEFAULT}`];
    this.#qdisc(
      `${leafHead}7FFF:${top} handle ${top}:`,
      dev,
      handle(MQ, major),
      handle(major),
      `htb default ${DEFAULT}`,
    );
    this.#class(side, `${top}: classid ${root}`, { major, minor: ROOT, parentMinor: 0 }, PRIO.root, whole);
    this.#qdisc(leafHead + root, dev, handle(major, ROOT), UNSTATED, defaultSqm);
    const numbers = { major, minor: DEFAULT, parentMinor: ROOT };
    this.#class(side, `${root} classid ${fallback}`, numbers, PRIO.default, share);
    this.#qdisc(leafHead + fallback, dev, handle(major, DEFAULT), UNSTATED, defaultSqm);
  }

  #treeClass(side: Side, queue: number, minor: number, parentMinor: number | undefined, rates: Rates): void {
    const major = queue + side.offset;
    const parent = parentMinor === undefined ? "" : hex(parentMinor);
    const place = `${hex(major)}:${parent} classid ${hex(minor)}`;
    const numbers = { major, minor, parentMinor: parentMinor ?? 0 };
    this.#class(side, place, numbers, PRIO.tree, this.#tails.tail(rates, PRIO.tree));
  }

  #circuit(node: PlacedNode, circuit: PlacedCircuit, side: Side): void {
    const { queue, minor, max, min } = circuit;
    const { direction, dev } = side;
    const least = min[direction].value;
    const rate = least === 1 && this.#squashed.has(node.name) ? SQUASHED : least;
    const ceil = max[direction].value;
    this.#treeClass(side, queue, minor, node.minor, { rate, ceil });
    if (this.#settings.monitorOnly) return;
    const major = queue + side.offset;
    const leaf = pythonSqm(ceil, this.#settings.defaultSqm);
    // A class whose number does not fit is never there; no other may be taken for it.
    const parent = minor > LARGEST_MINOR ? UNSTATED : handle(major, minor);
    this.#qdisc(`${side.leafHead}${hex(major)}:${hex(minor)}`, dev, parent, UNSTATED, leaf);
  }

  #node(node: PlacedNode): void {
    for (const side of this.#sides) {
      const rates = { rate: node.min[side.direction], ceil: node.max[side.direction] };
      this.#treeClass(side, node.queue, node.minor, node.parentMinor, rates);
    }
    for (const circuit of node.circuits) for (const side of this.#sides) this.#circuit(node, circuit, side);
    for (const child of node.children ?? []) this.#node(child);
  }

  all(nodes: readonly PlacedNode[]): LibreqosCommand[] {
    for (const side of this.#sides) this.#roots(side);
    for (const node of nodes) this.#node(node);
    return this.#follower.commands;
  }
}

/**
 * Writes every line, with what comes of each.
 *
 * @throws PythonError ValueError for a maximum that is nan
 */
export const writeLines = (
  { nodes, squashed }: Pick<Placement, "nodes" | "squashed">,
  settings: LibreqosSettings,
): LibreqosCommand[] => new LineWriter(settings, squashed).all(nodes);

/** `linux_tc.txt`: a line per command. */
export const batchText = (commands: readonly LibreqosCommand[]): string =>
  commands.map(({ line }) => `${line}\n`).join("");
