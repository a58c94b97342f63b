/** The tables of `sluice.toml` that are about the daemon itself: `[daemon]`, `[api]`, `[bakery]`, `[log]`. */
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { type ConfigDocument, type ConfigTable, type Keys, tableOf } from "../core/config-table.ts";
import { filePath, integer, oneOf, type ReadValue, Refusal, shown, textLike } from "../core/config-values.ts";
import type { Problem } from "../core/errors.ts";
import { type LogLevels, parseLogLevels } from "../core/log.ts";

/** An address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** What the daemon is told about itself. */
export interface Settings {
  readonly daemon: {
    /** What is done about changes that others made to what sluice made: put back, or only told. */
    readonly drift: "heal" | "report";
  };
  readonly api: {
    /** Who may use the socket besides root. */
    readonly group: string;
    /** What everybody else may do. */
    readonly others: "none" | "read";
    /** On loopback, besides the socket. */
    readonly listen?: Listen;
    /** Holds the token for it. */
    readonly tokenFile?: string;
  };
  readonly bakery: {
    readonly mode: "file" | "execute";
    /** Where commands are written in file mode; below the state's folder when left out. */
    readonly file?: string;
    /** Transmit queues as the callers count them; the interfaces and processors are asked when left out. */
    readonly queues?: number;
  };
  readonly log: LogLevels;
}

/** Every key of these tables with an example, in the order of docs/configuration.md. */
export const SETTINGS_KEYS = {
  daemon: { drift: '"heal"' },
  api: { group: '"sluice"', others: '"none"', listen: '"127.0.0.1:9125"', token_file: '"/etc/sluice/token"' },
  bakery: { mode: '"file"', file: '"/var/lib/sluice/bakery.txt"', queues: "16" },
  log: { levels: '"info,shaper=debug"' },
} as const satisfies Readonly<Record<string, Keys>>;

/** What holds when the file says nothing. */
export const DEFAULT_SETTINGS: Settings = {
  daemon: { drift: "heal" },
  api: { group: "sluice", others: "none" },
  bakery: { mode: "file" },
  log: { "": "info" },
};

const LARGEST_PORT = 65_535;
const MOST_QUEUES = 1024;

const isLoopback = (host: string): boolean => (isIP(host) === 4 && host.startsWith("127.")) || host === "::1";

const listen: ReadValue<Listen> = (value) => {
  const wanted = 'wanted a loopback address with a port, such as "127.0.0.1:9125" or "[::1]:9125"';
  const match = typeof value === "string" ? /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) : null;
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if (!match || isIP(host) === 0 || port > LARGEST_PORT) return new Refusal(`it is ${shown(value)}, ${wanted}`);
  if (isLoopback(host)) return { host, port };
  return new Refusal(`it is ${shown(value)}, ${wanted}; for other machines put a proxy with TLS before it`);
};

const levels: ReadValue<LogLevels> = (value) =>
  (typeof value === "string" ? parseLogLevels(value) : undefined) ??
  new Refusal(
    `it is ${shown(value)}, wanted levels such as "info,shaper=debug" of trace, debug, info, warning, error, fatal`,
  );

const group = textLike(/^[a-z_][a-z0-9_-]{0,31}$/, "the name of a group");

/** Reads the tables of a document, with every problem in them. Paths are relative to its folder. */
export function readSettings(document: ConfigDocument): {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const tables: ConfigTable<Keys>[] = [];
  const table = <N extends keyof typeof SETTINGS_KEYS>(name: N): ConfigTable<(typeof SETTINGS_KEYS)[N]> | undefined => {
    const found = tableOf(document, name, SETTINGS_KEYS[name]);
    if (found && "problem" in found) {
      problems.push(found.problem);
      return undefined;
    }
    if (found) tables.push(found);
    return found;
  };
  const folder = dirname(resolve(document.file));
  const path = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : resolve(folder, value);
  const daemon = table("daemon");
  const api = table("api");
  const bakery = table("bakery");
  const log = table("log");
  const listening = api?.optional("listen", listen);
  const tokenFile = path(api?.optional("token_file", filePath));
  if (api?.has("listen") && !api.has("token_file"))
    api.refuse(
      "listen",
      "it needs api.token_file beside it: whoever can reach a port of loopback is nobody in particular",
    );
  const queues = bakery?.optional("queues", integer(1, MOST_QUEUES));
  const bakeryFile = path(bakery?.optional("file", filePath));
  const usual = DEFAULT_SETTINGS;
  const settings: Settings = {
    daemon: { drift: daemon?.optional("drift", oneOf("heal", "report")) ?? usual.daemon.drift },
    api: {
      group: api?.optional("group", group) ?? usual.api.group,
      others: api?.optional("others", oneOf("none", "read")) ?? usual.api.others,
      ...(listening && { listen: listening }),
      ...(tokenFile !== undefined && { tokenFile }),
    },
    bakery: {
      mode: bakery?.optional("mode", oneOf("file", "execute")) ?? usual.bakery.mode,
      ...(bakeryFile !== undefined && { file: bakeryFile }),
      ...(queues !== undefined && { queues }),
    },
    log: { ...usual.log, ...log?.optional("levels", levels) },
  };
  return { settings, problems: [...problems, ...tables.flatMap((read) => read.problems)] };
}
