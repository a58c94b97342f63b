/** The bytes that a program sends over netlink, captured with strace(1). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Netns } from "../../src/linux/netns.ts";

/** Descriptors a program's first sockets get; strace dumps in full only what goes to the ones that are named. */
const DESCRIPTORS = "3,4,5,6,7,8";

/** The buffers of the hex dumps in an strace log, in the order in which they were sent. */
function buffersOf(log: string): Buffer[] {
  const buffers: Buffer[] = [];
  let hex: string | undefined;
  const flush = (): void => {
    if (hex !== undefined) buffers.push(Buffer.from(hex, "hex"));
    hex = undefined;
  };
  for (const line of log.split("\n")) {
    // ` | 00010  ff ff ff ff 00 00 01 00  ff ff ff ff 00 00 00 00  ................ |`
    const row = /^(?:\d+ +)? ?\| ([0-9a-f]{5,}) {2}((?:[0-9a-f]{2} {1,2}){1,16})/.exec(line);
    if (!row) flush();
    else {
      if (Number.parseInt(row[1]!, 16) === 0) flush();
      hex = (hex ?? "") + row[2]!.replaceAll(" ", "");
    }
  }
  flush();
  return buffers;
}

/**
 * Runs `tc -force -batch -` with these lines inside a namespace and returns the requests it sent, one per line of input.
 *
 * @throws Error when strace or tc is missing
 */
export function captureTc(ns: Netns, lines: readonly string[], types: readonly number[]): Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), "sluice-strace-"));
  try {
    const log = join(folder, "log");
    const options = ["-f", "-o", log, "-e", "trace=sendmsg,sendto", "-e", "verbose=none", "-e", `write=${DESCRIPTORS}`];
    const run = ns.run(() =>
      spawnSync("strace", [...options, "tc", "-force", "-batch", "-"], {
        input: `${lines.join("\n")}\n`,
        encoding: "utf8",
      }),
    );
    if (run.error && (run.error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("Cannot capture what tc sends: strace is not installed (apt-get install strace)");
    if (run.error) throw run.error;
    const sent = buffersOf(readFileSync(log, "utf8")).filter((bytes) => types.includes(bytes.readUInt16LE(4)));
    if (sent.length !== lines.length)
      throw new Error(`tc sent ${sent.length} requests for ${lines.length} lines; it said:\n${run.stderr}`);
    return sent;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
