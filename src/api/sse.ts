/** Server-sent events: how messages are written and read back. Pure. */

/** One message. */
export interface Message {
  readonly id?: string;
  readonly data: string;
}

/** A message as text; its data is JSON, so it has no line break. */
export const formatMessage = ({ id, data }: Message): string =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;

/** A comment, which keeps a connection from looking dead. */
export const KEEP_ALIVE = ": \n\n";

/** Takes text as it comes and gives the messages that are complete. */
export class MessageReader {
  #rest = "";

  /** Adds text. */
  read(text: string): Message[] {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        const at = line.indexOf(":");
        if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ""));
      }
      const data = fields.get("data");
      const id = fields.get("id");
      return data === undefined ? [] : [{ data, ...(id !== undefined && { id }) }];
    });
  }
}
