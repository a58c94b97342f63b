/** The archive that a kernel unpacks into its first file system: cpio, "new ASCII" format (cpio(5)). */

/** A file or folder of the archive. */
export interface CpioEntry {
  /** Without a slash at its beginning. */
  readonly name: string;
  /** Absent for a folder. */
  readonly content?: Uint8Array;
  /** A program. */
  readonly executable?: boolean;
}

const FOLDER = 0o040755;
const FILE = 0o100644;
const PROGRAM = 0o100755;

const padding = (length: number): Buffer => Buffer.alloc(-length & 3);

function encodeEntry(inode: number, name: string, mode: number, content: Uint8Array): Buffer {
  // inode, mode, uid, gid, links, time, size, device and its minor twice, length of the name, checksum
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}${name}\0`;
  const head = Buffer.from(header);
  return Buffer.concat([head, padding(head.length), content, padding(content.length)]);
}

/** The archive as bytes; folders stand before what is in them. */
export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const all = entries.map(({ name, content, executable }, i) => {
    const mode = content === undefined ? FOLDER : executable ? PROGRAM : FILE;
    return encodeEntry(i + 1, name, mode, content ?? Buffer.alloc(0));
  });
  return Buffer.concat([...all, encodeEntry(0, "TRAILER!!!", 0, Buffer.alloc(0))]);
}
