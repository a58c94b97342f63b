/** What the command line asks of a generator or a sink, read and checked: everything that is wrong is told at once. Pure. */
import { isIP } from "node:net";
import { type Problem, problem, SluiceError } from "../../core/errors.ts";
import { addressBytes } from "../../core/prefix.ts";
import type { SinkUntil } from "../../relay/traffic/sink.ts";
import { STAMP_BYTES } from "../../relay/traffic/stamp.ts";
import { parseTrafficPlace, type TrafficPlace } from "./words.ts";

/** Most payload of a datagram of IPv4. */
const LARGEST_SIZE = 65_507;
const LARGEST_TTL = 255;
const MOST_PACKETS = 2 ** 47;
const FASTEST = 1e8;
/** A day, s. */
const LONGEST = 86_400;
const SHORTEST = 0.001;

/** What the command line says of a generator. */
export interface GenerateRequest {
  readonly places: readonly string[];
  readonly netns?: string;
  /** Packets a second of each place, or `max`. */
  readonly rate: string;
  /** Bytes of payload. */
  readonly size: number;
  readonly seconds: number;
  /** Of each place, however long it takes. */
  readonly packets?: number;
  readonly source?: string;
  readonly ttl: number;
}

/** What the command line says of a sink. */
export interface SinkRequest extends SinkUntil {
  readonly places: readonly string[];
  readonly netns?: string;
}

/** A generator that can be opened. */
export interface GenerateOrder {
  readonly places: readonly TrafficPlace[];
  /** Infinity: as many as go. */
  readonly rate: number;
  readonly size: number;
  /** Infinity: until the time is over. */
  readonly packets: number;
  /** Infinity: until the packets are sent. */
  readonly seconds: number;
  readonly ttl: number;
  /** 4 or 16 bytes. */
  readonly source?: Uint8Array;
}

/** What is wrong with a command line. */
class Faults {
  readonly #problems: Problem[] = [];
  readonly #command: string;

  constructor(command: string) {
    this.#command = command;
  }

  add(reason: string): void {
    this.#problems.push(problem("USAGE", { reason, command: this.#command }));
  }

  within(what: string, value: number, least: number, most: number): void {
    if (!(value >= least && value <= most)) this.add(`${what} is ${value}, wanted a number from ${least} to ${most}`);
  }

  whole(what: string, value: number, least: number, most: number): void {
    if (!Number.isInteger(value) || value < least || value > most)
      this.add(`${what} is ${value}, wanted a whole number from ${least} to ${most}`);
  }

  places(texts: readonly string[]): TrafficPlace[] {
    return texts.flatMap((text) => {
      try {
        return [parseTrafficPlace(text, this.#command)];
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        this.#problems.push(...error.problems);
        return [];
      }
    });
  }

  /** @throws SluiceError USAGE, when there is any */
  settle(): void {
    if (this.#problems.length > 0) throw new SluiceError(this.#problems);
  }
}

/** `1000`, `250k`, `1.5M`, `max`; NaN for anything else. */
function parseRate(text: string): number {
  if (text === "max") return Infinity;
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  return match ? Number(match[1]) * { "": 1, k: 1e3, M: 1e6 }[match[2] as "" | "k" | "M"] : Number.NaN;
}

function readSource(text: string, places: readonly TrafficPlace[], faults: Faults): Uint8Array | undefined {
  if (isIP(text) === 0) {
    faults.add(`The source is "${text}", wanted an address`);
    return undefined;
  }
  const bytes = addressBytes(text);
  const other = places.find(({ address }) => address.length !== bytes.length);
  if (other) faults.add(`The source is "${text}", of another IP version than ${other.text}`);
  return bytes;
}

/** Reads what a generator is asked for. @throws SluiceError USAGE with all that is wrong */
export function readGenerate(request: GenerateRequest): GenerateOrder {
  const { size, seconds, ttl, packets, source: from } = request;
  const faults = new Faults("sluice relay generate");
  const places = faults.places(request.places);
  const rate = parseRate(request.rate);
  if (!(rate > 0 && (rate <= FASTEST || rate === Infinity)))
    faults.add(`The rate is "${request.rate}", wanted packets a second such as 1000, 250k or max`);
  faults.whole("The size", size, STAMP_BYTES, LARGEST_SIZE);
  faults.whole("The TTL", ttl, 1, LARGEST_TTL);
  faults.within("The time", seconds, SHORTEST, LONGEST);
  if (packets !== undefined) faults.whole("The number of packets", packets, 1, MOST_PACKETS);
  const source = from === undefined ? undefined : readSource(from, places, faults);
  faults.settle();
  const limit = packets === undefined ? { packets: Infinity, seconds } : { packets, seconds: Infinity };
  return { places, rate, size, ttl, ...limit, ...(source && { source }) };
}

/** Reads where a sink listens. @throws SluiceError USAGE with all that is wrong */
export function readSink({ places: texts, seconds, idle }: SinkRequest): readonly TrafficPlace[] {
  const faults = new Faults("sluice relay sink");
  const places = faults.places(texts);
  faults.within("The time", seconds, SHORTEST, LONGEST);
  faults.within("The time to wait", idle, SHORTEST, LONGEST);
  faults.settle();
  return places;
}
