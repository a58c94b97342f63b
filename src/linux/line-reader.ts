/** Lines of a stream of bytes from somebody who is not trusted: none is longer than is said, whatever comes. */
import { StringDecoder } from "node:string_decoder";

/** Cuts chunks into lines. */
export class LineReader {
  readonly #most: number;
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  #skipping = false;

  /** @param most characters that are kept of a line, the rest of it is dropped. @param take is called with every line but empty ones */
  constructor(most: number, take: (line: string) => void) {
    this.#most = most;
    this.#take = take;
  }

  /** The next bytes. */
  push(chunk: Buffer): void {
    const parts = this.#decoder.write(chunk).split("\n");
    for (const [index, part] of parts.entries()) {
      if (!this.#skipping) this.#rest += part;
      if (this.#rest.length > this.#most) {
        this.#rest = this.#rest.slice(0, this.#most);
        this.#skipping = true;
      }
      if (index < parts.length - 1) this.end();
    }
  }

  /** The last line is over, also without a line feed. */
  end(): void {
    const line = this.#rest;
    this.#rest = "";
    this.#skipping = false;
    if (line !== "") this.#take(line);
  }
}
