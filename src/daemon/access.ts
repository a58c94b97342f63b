/** Who may do what. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Access } from "../api/route.ts";
import type { Settings } from "../control/settings.ts";
import { messageOf, sluiceError } from "../core/errors.ts";
import { groupId, peerOf } from "../linux/peer.ts";

/** Somebody who asks. */
export interface Caller {
  /** For events and plans: `uid 1000 (pid 123)`, `tcp 127.0.0.1`. */
  readonly who: string;
  readonly rights: ReadonlySet<Access>;
}

const ALL: ReadonlySet<Access> = new Set(["read", "change"]);
const READ: ReadonlySet<Access> = new Set(["read"]);
const NONE: ReadonlySet<Access> = new Set();

const SHORTEST_TOKEN = 16;
const OTHERS_BITS = 0o077;

/** Reads a token. @throws Error that says why it cannot be used */
function readToken(path: string): string {
  const token = readFileSync(path, "utf8").trim();
  if (token.length < SHORTEST_TOKEN) throw new Error(`"${path}" has less than ${SHORTEST_TOKEN} characters`);
  if ((statSync(path).mode & OTHERS_BITS) !== 0)
    throw new Error(`"${path}" can be read by others (chmod 600 "${path}")`);
  return token;
}

/** Texts of any length compared in the same time. */
const sameText = (a: string, b: string): boolean => {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
};

/** Decides. */
export class Gate {
  #api: Settings["api"];
  #group: number | undefined;
  #token: string | undefined;
  /** Why the token cannot be used; undefined when it can, or none is wanted. */
  tokenFault: string | undefined;

  constructor(api: Settings["api"]) {
    this.#api = api;
    this.adopt(api);
  }

  /** Goes by other settings. */
  adopt(api: Settings["api"]): void {
    this.#api = api;
    this.#group = groupId(api.group);
    this.#token = undefined;
    this.tokenFault = undefined;
    if (api.tokenFile === undefined) return;
    try {
      this.#token = readToken(api.tokenFile);
    } catch (error) {
      this.tokenFault = messageOf(error);
    }
  }

  /** The group of the socket; undefined when there is none. */
  get group(): number | undefined {
    return this.#group;
  }

  /** Who is behind a request. @throws SluiceError TOKEN_WRONG over TCP */
  callerOf(request: IncomingMessage, local: boolean): Caller {
    if (!local) return this.#byToken(request);
    const peer = peerOf(request.socket);
    const who = `uid ${peer.uid} (pid ${peer.pid})`;
    const member = this.#group !== undefined && (peer.gid === this.#group || peer.groups.includes(this.#group));
    if (peer.uid === 0 || member) return { who, rights: ALL };
    return { who, rights: this.#api.others === "read" ? READ : NONE };
  }

  /** Lets a caller through. @throws SluiceError FORBIDDEN */
  check({ who, rights }: Caller, access: Access): void {
    if (rights.has(access)) return;
    const what = access === "read" ? "read anything here" : "change anything here";
    throw sluiceError("FORBIDDEN", { user: who, what, group: this.#api.group });
  }

  #byToken(request: IncomingMessage): Caller {
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (this.#token === undefined || given === undefined || !sameText(given, this.#token))
      throw sluiceError("TOKEN_WRONG");
    return { who: `tcp ${request.socket.remoteAddress ?? "unknown"}`, rights: ALL };
  }
}
