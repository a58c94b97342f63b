/** Where the daemon listens: its socket, made with the right mode from the first moment, and TCP on loopback. */
import { chmodSync, chownSync, mkdirSync, unlinkSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { dirname } from "node:path";
import type { Listen, Settings } from "../control/settings.ts";
import { messageOf, sluiceError } from "../core/errors.ts";

const PRIVATE = 0o660;
const OPEN = 0o666;
const BACKLOG = 128;

const modeOf = ({ others }: Settings["api"]): number => (others === "read" ? OPEN : PRIVATE);

function listening(server: HttpServer, where: string, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(sluiceError("LISTEN_FAILED", { where, reason: messageOf(error) }, { cause: error }));
    server.once("error", fail);
    server.once("listening", () => {
      server.off("error", fail);
      resolve();
    });
    start();
  });
}

/** Gives the socket its group and mode. */
export function openSocket(path: string, api: Settings["api"], group: number | undefined): void {
  if (group !== undefined && process.getuid?.() === 0) chownSync(path, 0, group);
  chmodSync(path, modeOf(api));
}

/**
 * Listens on a socket in the place of one that a daemon before left. The caller holds the daemon's lock, so nobody answers
 * there. It can be used by root alone until it has its group: the umask holds when bind(2) makes it, which is before
 * `listen` returns.
 */
export async function listenOnSocket(
  server: HttpServer,
  path: string,
  api: Settings["api"],
  group: number | undefined,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
  await listening(server, path, () => {
    const before = process.umask(0o777 & ~PRIVATE);
    try {
      server.listen({ path, backlog: BACKLOG });
    } finally {
      process.umask(before);
    }
  });
  openSocket(path, api, group);
}

/** Listens on loopback. */
export const listenOnPort = (server: HttpServer, { host, port }: Listen): Promise<void> =>
  listening(server, `${host}:${port}`, () => server.listen({ host, port, backlog: BACKLOG }));
