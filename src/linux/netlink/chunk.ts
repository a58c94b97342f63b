/** Sending messages in chunks: one sendto(2) for many messages, and finding out which of them the kernel refused. */
import { ERRNO, SystemError } from "../errno.ts";
import { errno, recv, sendto } from "../ffi.ts";
import { readRefusal, type Refusal } from "./error.ts";
import { type EncodedBatch, HEADER_LENGTH, NLMSG_ERROR, SEQUENCE_OFFSET } from "./message.ts";
import { Messages } from "./reader.ts";

const MSG_DONTWAIT = 0x40;
/** struct sockaddr_nl of the kernel: family AF_NETLINK, port 0. */
const KERNEL = new Uint8Array(12);
KERNEL[0] = 16;

/** Enough for any datagram that answers requests; dumps need more. */
export const ANSWER_BUFFER = 64 * 1024;

/**
 * Most messages sent at once by a sender of batches. More gain nothing: one sendto(2) costs a microsecond or two, a
 * message at least four. Nor would fewer do others good: the kernel takes its RTNL lock anew for every message, so a
 * routing daemon or `ip` waits for one or two of them, however many are sent at once.
 */
export const LARGEST_CHUNK = 64;
/** Most bytes sent at once: below the default send buffer of 208 KiB, beyond which sendto fails with EMSGSIZE. */
export const CHUNK_BYTES = 128 * 1024;

/** One sendto(2) to the kernel. @throws SystemError */
export function sendBytes(fd: number, bytes: Uint8Array): void {
  for (;;) {
    const sent = sendto(fd, bytes, bytes.length, 0, KERNEL, KERNEL.length);
    if (sent === bytes.length) return;
    if (sent >= 0)
      throw new SystemError("sendto netlink", ERRNO.EMSGSIZE, `${sent} of ${bytes.length} bytes were taken`);
    const number = errno();
    if (number !== ERRNO.EINTR) throw new SystemError("sendto netlink", number);
  }
}

/** recv(2) that starts again after a signal; the negative error number when it fails. */
export function receive(fd: number, buffer: Uint8Array, flags: number): number {
  for (;;) {
    const length = recv(fd, buffer, buffer.length, flags);
    if (length >= 0) return length;
    const number = errno();
    if (number !== ERRNO.EINTR) return -number;
  }
}

/**
 * Stamps the sequence numbers `sequence + i` on messages `from` to `to` (exclusive) of a batch.
 *
 * A wrong length would make the kernel drop the rest of the datagram without a word, so every length is checked here.
 */
function stamp(batch: EncodedBatch, from: number, to: number, sequence: number): void {
  const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  for (let i = from; i < to; i += 1) {
    const start = batch.starts[i]!;
    const length = batch.starts[i + 1]! - start;
    if (length < HEADER_LENGTH || length % 4 !== 0 || view.getUint32(start, true) !== length)
      throw new TypeError(`Cannot send message ${i} of the batch: its length does not fit its ${length} bytes`);
    view.setUint32(start + SEQUENCE_OFFSET, sequence + i, true);
  }
}

/** What became of a chunk. */
export interface ChunkOutcome {
  /** By index in the batch; messages that are not here were carried out. */
  readonly refusals: ReadonlyMap<number, Refusal>;
  /** The kernel had more to say than the receive buffer could hold: some refusals are not known. */
  readonly overrun: boolean;
}

/**
 * Sends messages `from` to `to` (exclusive) in one datagram and collects the refusals.
 *
 * The kernel works through the whole datagram, in order, inside sendto(2), and answers a request without NLM_F_ACK
 * only when it refuses it. So when sendto returns all answers are waiting, and no answer means success.
 */
export function sendChunk(
  fd: number,
  batch: EncodedBatch,
  from: number,
  to: number,
  sequence: number,
  buffer: Uint8Array,
): ChunkOutcome {
  stamp(batch, from, to, sequence);
  sendBytes(fd, batch.bytes.subarray(batch.starts[from], batch.starts[to]));
  const refusals = new Map<number, Refusal>();
  let overrun = false;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  for (;;) {
    const length = receive(fd, buffer, MSG_DONTWAIT);
    if (length === -ERRNO.EAGAIN) return { refusals, overrun };
    if (length === -ERRNO.ENOBUFS) {
      overrun = true;
      continue;
    }
    if (length < 0) throw new SystemError("recv netlink", -length);
    const message = new Messages(view, length);
    while (message.next()) {
      const index = message.sequence - sequence;
      // Answers to something older, such as a dump that was given up, are none of ours.
      if (message.type !== NLMSG_ERROR || index < from || index >= to) continue;
      const refusal = readRefusal(message);
      if (refusal) refusals.set(index, refusal);
    }
  }
}

/** Where a chunk that begins at message `from` ends: at most so many messages and bytes, at least one message. */
export function chunkEnd(batch: EncodedBatch, from: number, messages: number, size: number): number {
  const last = Math.min(from + messages, batch.starts.length - 1);
  let to = from + 1;
  while (to < last && batch.starts[to + 1]! - batch.starts[from]! <= size) to += 1;
  return to;
}

/** A batch with what sending it takes. */
export interface Sending extends EncodedBatch {
  readonly fd: number;
  /** The sequence number of message 0. */
  readonly sequence: number;
}

/** How far a batch has come. */
export interface Step {
  /** Messages that were tried. */
  readonly tried: number;
  /** Those of the last chunk that were refused, by index: with one refused the batch is at its end. */
  readonly refusals: ReadonlyMap<number, Refusal>;
}

/** Sends the next chunk of a batch, at most so many messages. @throws SystemError, ENOBUFS when refusals were lost */
export function sendStep(batch: Sending, from: number, most: number, buffer: Uint8Array): Step {
  const to = chunkEnd(batch, from, most, CHUNK_BYTES);
  const { refusals, overrun } = sendChunk(batch.fd, batch, from, to, batch.sequence, buffer);
  if (overrun) throw new SystemError("recv netlink", ERRNO.ENOBUFS);
  return { tried: to, refusals };
}
