/** How a registry is satisfied that asks who wants its image: with Basic, or with a token from another server. */
import { parseChallenges } from "./challenge.ts";
import { ImageFault } from "./fault.ts";
import type { HttpClient } from "./http.ts";
import { parseRecord } from "./json.ts";

const MOST_OF_A_TOKEN = 64 * 1024;

/** Who asks, and for what. */
export interface Asker {
  readonly http: HttpClient;
  /** The registry. */
  readonly base: URL;
  readonly repository: string;
  /** The header's value for Basic. */
  readonly basic?: string;
}

const denied = (reason: string): ImageFault => new ImageFault("IMAGE_DENIED", { reason });

async function fetchToken(asker: Asker, params: ReadonlyMap<string, string>): Promise<string> {
  const { http, base, repository, basic } = asker;
  const realm = params.get("realm") ?? "";
  if (!URL.canParse(realm)) throw denied("it asks for a token and does not say where to get one");
  const url = new URL(realm);
  if (url.protocol !== "https:" && (url.protocol !== "http:" || base.protocol !== "http:"))
    throw denied(`it asks for a token of ${url.protocol}//${url.host}, which is not HTTPS`);
  const service = params.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", params.get("scope") ?? `repository:${repository}:pull`);
  const accept = "application/json";
  const reply = await http.get({ url, accept, limit: MOST_OF_A_TOKEN, ...(basic && { authorization: basic }) });
  if (reply.status !== 200 || reply.cut) {
    const whose = basic === undefined ? "without credentials" : "for these credentials";
    throw denied(`${url.host} gives no token ${whose} (HTTP status ${reply.status})`);
  }
  const record = parseRecord(reply.body, `the token of ${url.host}`);
  const token = record["token"] ?? record["access_token"];
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) throw denied(`${url.host} gives no usable token`);
  return token;
}

/**
 * What to send as `Authorization` after a registry answered 401. Credentials go to the registry, or to the token server
 * that it names; never over plain HTTP, unless the registry is on this machine.
 *
 * @param header the registry's `WWW-Authenticate`
 * @throws ImageFault IMAGE_DENIED, IMAGE_INVALID, IMAGE_UNREACHABLE
 */
export async function authorize(asker: Asker, header: string | null): Promise<string> {
  const challenges = parseChallenges(header ?? "");
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer) return `Bearer ${await fetchToken(asker, bearer.params)}`;
  if (!challenges.some(({ scheme }) => scheme === "basic"))
    throw denied("it wants to know who asks, in none of the ways Bearer and Basic");
  if (asker.basic === undefined) throw denied("it wants credentials");
  return asker.basic;
}
