/** Sends the packets of a batch, rule by rule, to all outputs of it. What comes back is counted, never thrown. */
import { ERRNO } from "../../linux/errno.ts";
import { Messages, MOST_SEGMENTS } from "../../linux/udp/messages.ts";
import { type Counter, COUNTERS } from "../model.ts";
import type { ActiveRule, Output } from "./active-rule.ts";
import type { Batch } from "./batch.ts";
import { rewrite } from "./rewrite.ts";

const index = (counter: Counter): number => COUNTERS.indexOf(counter);
const PACKETS = index("packets");
const BYTES = index("bytes");
const SEND_ERRORS = index("sendErrors");
const TOO_LARGE = index("tooLarge");
const VNET = 10;
/** Most payload of a message that is cut: what an IP packet holds under the longest headers. */
const MOST_BYTES = 65_535 - 60 - 8;

/** What the kernel says when it does not cut a message; then its datagrams are sent one by one. */
const UNCUT: ReadonlySet<number> = new Set([ERRNO.EINVAL, ERRNO.EMSGSIZE, ERRNO.EIO]);
/** What one message fails for and the next one may not. */
const ITS_OWN: ReadonlySet<number> = new Set([ERRNO.EINVAL, ERRNO.EMSGSIZE, ERRNO.ENOBUFS]);

/** The sender of one plane. */
export class Sender implements Disposable {
  readonly #messages = new Messages();
  readonly #counters: Float64Array;
  readonly #batch: Batch;

  constructor(batch: Batch, counters: Float64Array) {
    this.#batch = batch;
    this.#counters = counters;
  }

  /** Sends the chain of a rule: UDP first, for raw outputs change the packets' headers. */
  send(rule: ActiveRule): void {
    let joined = 0;
    let single = 0;
    for (const output of rule.udp) {
      // What must be fragmented cannot be cut as well.
      output.resume = output.plain || rule.largest > output.whole ? rule.head : -1;
      if (output.resume < 0) joined += 1;
    }
    for (let at = joined > 0 ? rule.head : -1; at >= 0;) {
      at = this.#gatherRuns(rule, at);
      for (const output of rule.udp) if (output.resume < 0) this.#push(output);
    }
    for (const output of rule.udp) if (output.resume >= 0) single += 1;
    for (let at = single > 0 ? rule.head : -1; at >= 0;) {
      at = this.#gatherSingly(rule, at);
      for (const output of rule.udp) if (output.resume >= 0) this.#push(output);
    }
    for (const output of rule.raw) for (let at = rule.head; at >= 0;) at = this.#sendOn(output, at);
  }

  /**
   * Makes messages of runs: datagrams of one length, and a shorter one that may end it, go as one message that the kernel cuts.
   *
   * @returns the packet to go on with
   */
  #gatherRuns(rule: ActiveRule, from: number): number {
    const { next, payload, segment, segments, tos } = this.#batch;
    this.#messages.clear();
    let at = from;
    while (at >= 0 && this.#messages.fits(1, MOST_SEGMENTS)) {
      const first = at;
      const size = segment[at]!;
      let bytes = 0;
      let count = 0;
      let more = true;
      this.#messages.open(first);
      while (more) {
        this.#messages.add(this.#batch.address(at), payload[at]!, segments[at]!, payload[at]!);
        bytes += payload[at]!;
        count += segments[at]!;
        const full = size > 0 && payload[at] === size * segments[at]!;
        at = next[at]!;
        more = full && at >= 0 && this.#joins(rule, first, at, count, bytes);
      }
      this.#messages.close(count > 1 ? size : 0, rule.family, tos[first]! & 0xfc);
    }
    return at;
  }

  /** Whether a packet may be in one message with those before it. */
  #joins({ splitsPort, splitsTos }: ActiveRule, first: number, at: number, count: number, bytes: number): boolean {
    const { payload, segment, segments, port, tos } = this.#batch;
    const size = segment[first]!;
    // One without payload would be nothing in a message that is cut.
    if (payload[at] === 0 || segment[at]! > size || (segment[at]! < size && segments[at]! > 1)) return false;
    if (count + segments[at]! > MOST_SEGMENTS || bytes + payload[at]! > MOST_BYTES) return false;
    if (splitsPort && port[at] !== port[first]) return false;
    return !splitsTos || ((tos[at]! ^ tos[first]!) & 0xfc) === 0;
  }

  /** Makes a message of each datagram. @returns the packet to go on with */
  #gatherSingly({ family }: ActiveRule, from: number): number {
    const { next, payload, segment, segments, tos } = this.#batch;
    this.#messages.clear();
    let at = from;
    for (; at >= 0 && this.#messages.fits(segments[at]!, segments[at]!); at = next[at]!) {
      const address = this.#batch.address(at);
      let done = 0;
      for (let i = 0; i < segments[at]!; i += 1) {
        const length = Math.min(segment[at]!, payload[at]! - done);
        this.#messages.open(at);
        this.#messages.add(address + done, length, 1, length);
        this.#messages.close(0, family, tos[at]! & 0xfc);
        done += length;
      }
    }
    return at;
  }

  /** Sends packets themselves on. @returns the packet to go on with */
  #sendOn(output: Output, from: number): number {
    const { next, base, ip, headers, payload, segment, segments } = this.#batch;
    this.#messages.clear();
    let at = from;
    for (; at >= 0 && this.#messages.fits(1, 1); at = next[at]!) {
      const { target, before } = output;
      // Nobody knows the host's address yet; an interface would send it anywhere.
      if (before > VNET && !target.mac) {
        this.#counters[output.counters + SEND_ERRORS]! += segments[at]!;
        continue;
      }
      if (headers[at]! + segment[at]! > target.mtu) {
        this.#counters[output.counters + TOO_LARGE]! += segments[at]!;
        continue;
      }
      rewrite(this.#batch, at, output);
      this.#messages.open(at);
      const length = before + headers[at]! + payload[at]!;
      this.#messages.add(base[at]! + ip[at]! - before, length, segments[at]!, payload[at]!);
      this.#messages.close(0, 4, 0);
    }
    output.resume = from;
    this.#push(output);
    return at;
  }

  /** Sends what was gathered by one output. */
  #push(output: Output): void {
    const messages = this.#messages;
    this.#address(output);
    let from = 0;
    while (from < messages.count && messages.tags[from]! < output.resume) from += 1;
    while (from < messages.count) {
      const sent = messages.send(output.fd, from);
      if (sent > 0) {
        for (const end = from + sent; from < end; from += 1) {
          this.#counters[output.counters + PACKETS]! += messages.segments[from]!;
          this.#counters[output.counters + BYTES]! += messages.bytes[from]!;
        }
      } else if (!output.raw && messages.segments[from]! > 1 && UNCUT.has(-sent)) {
        // The link was told to be large enough, so it is not for this run only: until the rule is set anew.
        output.plain = true;
        output.resume = messages.tags[from]!;
        return;
      } else {
        from = this.#failed(output, from, -sent);
      }
    }
  }

  /** Counts messages that were not sent. @returns the message to go on with */
  #failed(output: Output, from: number, error: number): number {
    const { segments, count } = this.#messages;
    const counter = output.counters + (error === ERRNO.EMSGSIZE ? TOO_LARGE : SEND_ERRORS);
    // Of an interface that is down every message fails: asking for each would only cost the others their time.
    const end = ITS_OWN.has(error) ? from + 1 : count;
    for (let at = from; at < end; at += 1) this.#counters[counter]! += segments[at]!;
    return end;
  }

  #address({ name, keepsPort, keepsTos }: Output): void {
    const messages = this.#messages;
    messages.keepTos(keepsTos);
    if (!keepsPort) return messages.named(name);
    for (let at = 0; at < messages.count; at += 1)
      messages.namedWithPort(at, name, this.#batch.port[messages.tags[at]!]!);
  }

  [Symbol.dispose](): void {
    this.#messages[Symbol.dispose]();
  }
}
