/**
 * A file that lines are appended to, and that never fills a disk: at its limit it becomes `NAME.1`, the one before goes.
 * Lines are gathered and written by the second, off the loop. A write that fails is told once, the lines are lost, and it
 * is tried again with the next ones. What is added after a line that was cut off, by a crash or a full disk, begins on a
 * line of its own.
 */
import { appendFile, open, rename, stat } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";

/** What it is made of. */
export interface RotatingFileOptions {
  readonly path: string;
  /** Its first line, again after each change of files. */
  readonly header?: string;
  /** The header is written at each start, too: whoever reads on learns where another run begins. */
  readonly heads?: "runs";
  /** Bytes. */
  readonly limit?: number;
  /** Told of the first failure in a row. */
  readonly failed: (reason: string) => void;
}

const LIMIT = 8 * 2 ** 20;
/** What is gathered before it is written, and for how long at most, ms. */
const GATHERED = 64 * 2 ** 10;
const LONGEST = 1000;
/** A disk that hangs must not fill the memory: lines beyond this are lost, bytes. */
const MOST = 4 * 2 ** 20;

/** The file. */
export class RotatingFile implements AsyncDisposable {
  readonly #options: RotatingFileOptions;
  #lines: string[] = [];
  #gathered = 0;
  #size: number | undefined;
  #began = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  /** Lines that could not be kept. */
  lost = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Adds a line; its end is added to it. */
  add(line: string): void {
    if (this.#gathered > MOST) {
      this.lost += 1;
      return;
    }
    this.#lines.push(line);
    this.#gathered += line.length + 1;
    if (this.#gathered >= GATHERED) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), LONGEST).unref();
  }

  /** Writes what was gathered; one writing at a time. Does not throw. */
  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing) return this.#writing;
    this.#writing = this.#write();
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
    return undefined;
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    this.#gathered = 0;
    if (lines.length === 0) return;
    const { path, header, heads, limit = LIMIT, failed } = this.#options;
    try {
      const end = this.#size === undefined ? await endOf(path) : { size: this.#size, cut: false };
      const full = end.size > limit;
      if (full) await rename(path, `${path}.1`);
      const { size, cut } = full ? EMPTY : end;
      const headed = size === 0 || (heads === "runs" && !this.#began);
      const text = [...(cut ? [""] : []), ...(headed && header !== undefined ? [header] : []), ...lines, ""].join("\n");
      await appendFile(path, text);
      this.#size = size + Buffer.byteLength(text);
      this.#began = true;
      this.#failing = false;
    } catch (error) {
      this.#size = undefined;
      this.lost += lines.length;
      if (!this.#failing) failed(messageOf(error));
      this.#failing = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#flush();
  }
}

interface End {
  /** Bytes. */
  readonly size: number;
  /** Its last line has no end. */
  readonly cut: boolean;
}

const EMPTY: End = { size: 0, cut: false };

/** How a file ends; one that is not there is empty, and so is what is no file, such as a device. */
async function endOf(path: string): Promise<End> {
  try {
    const found = await stat(path);
    const { size } = found;
    if (size === 0 || !found.isFile()) return EMPTY;
    await using file = await open(path, "r");
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return { size, cut: buffer.toString() !== "\n" };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return EMPTY;
    throw error;
  }
}
