/**
 * A file that lines are appended to, and that never fills a disk: at its limit it becomes `NAME.1`, the one before goes.
 * Lines are gathered and written by the second, off the loop. A write that fails is told once, the lines are lost, and it
 * is tried again with the next ones.
 */
import { appendFile, rename, stat } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";

/** What it is made of. */
export interface RotatingFileOptions {
  readonly path: string;
  /** Its first line, again after each change of files. */
  readonly header?: string;
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
    const { path, header, limit = LIMIT, failed } = this.#options;
    try {
      this.#size ??= await sizeOf(path);
      if (this.#size > limit) {
        await rename(path, `${path}.1`);
        this.#size = 0;
      }
      const text = [...(this.#size === 0 && header !== undefined ? [header] : []), ...lines, ""].join("\n");
      await appendFile(path, text);
      this.#size += Buffer.byteLength(text);
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

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
