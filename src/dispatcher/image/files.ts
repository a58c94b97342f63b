/** Files of layouts and of the cache: read within bounds, written whole or not at all. */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

// A link or a pipe where a file belongs is not followed, and does not make anybody wait.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function readUpTo(handle: FileHandle, limit: number): Promise<Uint8Array> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, limit) + 1);
  let used = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, used, buffer.length - used, used);
    used += bytesRead;
    if (bytesRead === 0 || used === buffer.length) return buffer.subarray(0, used);
  }
}

/**
 * Reads a regular file, one byte more than `limit` at most; undefined when it is not there, or no regular file.
 *
 * @throws Error of the system for all else
 */
export async function readFileUpTo(path: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    await using handle = await open(path, READ);
    if (!(await handle.stat()).isFile()) return undefined;
    return await readUpTo(handle, limit);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Makes a folder's entries last: what was renamed into it is there after a power cut. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

/** Puts a file in place in one step, making its folder; for its owner alone. @throws Error of the system */
export async function writeFileWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    {
      await using handle = await open(draft, "wx", 0o600);
      await handle.writeFile(bytes);
      await handle.sync();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(folder);
}
