/** The codes of the daemon, its API and who calls it: a part of the registry in `codes.ts`. */
import { config, type ErrorSpec, failure, warning } from "./error-spec.ts";
import { EXIT } from "./exit.ts";

/** A request that is refused as it stands. */
const refused = (status: number, message: string, remedy: string, exit: number = EXIT.failure): ErrorSpec => ({
  message,
  remedy,
  status,
  exit,
});

/** The rows. */
export const DAEMON_ERRORS = {
  // The daemon
  DAEMON_DOWN: refused(
    503,
    "Cannot reach sluiced at {socket}: {reason}",
    "Start it: systemctl start sluiced (or in the foreground: sluiced)",
    EXIT.unavailable,
  ),
  DAEMON_DENIED: refused(
    403,
    "This user may not use sluiced at {socket}",
    'Run it as root (sudo {command}), join the group that the socket belongs to, or set api.others = "read" for reading',
    EXIT.permission,
  ),
  DAEMON_ANSWER: refused(
    502,
    "Cannot read the answer of sluiced: {reason}",
    "Check that daemon and command line have the same version: sluice status, sluice --version",
  ),
  DAEMON_RUNNING: failure(
    "Cannot listen on {socket}: another sluiced answers there",
    "Stop it first (systemctl stop sluiced), or set another SLUICE_ROOT",
  ),
  DAEMON_STOPPING: refused(503, "The daemon is stopping", "Ask again when it is back", EXIT.unavailable),
  LISTEN_FAILED: config(
    "Cannot listen on {where}: {reason}",
    "Check [api] in the configuration, and who listens there",
  ),
  API_GROUP: warning(
    'There is no group "{group}": only root can use the socket',
    "Make it (groupadd --system {group}), or name another with api.group",
  ),

  // Requests
  REQUEST_INVALID: refused(
    400,
    "Cannot take the request: {what} is {actual}, wanted {wanted}",
    "GET /v1/openapi.json says what every route takes",
    EXIT.usage,
  ),
  REQUEST_JSON: refused(400, "Cannot parse the body as JSON: {reason}", "Send one JSON object", EXIT.usage),
  REQUEST_MEDIA: refused(
    415,
    'Cannot read a body of type "{type}"',
    "Send JSON, with Content-Type: application/json",
    EXIT.usage,
  ),
  REQUEST_TOO_LARGE: refused(413, "The body has more than {limit} bytes", "Send less at once", EXIT.usage),
  REQUEST_SLOW: refused(408, "The request was not complete after {seconds} s", "Send it whole", EXIT.usage),
  ROUTE_UNKNOWN: refused(404, "There is no route {method} {path}", "GET /v1/openapi.json lists them", EXIT.usage),
  METHOD_NOT_ALLOWED: refused(405, "{path} does not take {method}", "Use {methods}", EXIT.usage),
  TOKEN_WRONG: refused(
    401,
    "The request has no token, or a wrong one",
    "Send Authorization: Bearer TOKEN, with the token that api.token_file holds",
    EXIT.permission,
  ),
  FORBIDDEN: refused(
    403,
    "User {user} may not {what}",
    'Ask as root or as a member of the group "{group}"; others may read where api.others = "read"',
    EXIT.permission,
  ),
  STATE_MOVED: refused(
    412,
    "The state moved: it is {actual} now, the request was made for {wanted}",
    "Look at it anew, and ask again with its tag",
  ),
  TOO_MANY_STREAMS: refused(429, "There are {count} streams already", "End one of them first"),
  SHAPER_UNCONFIGURED: refused(
    409,
    "No interface is configured to be shaped",
    "Add a [shaper] table to {file}; examples/isp/sluice.toml is a start",
    EXIT.config,
  ),
  BAKERY_DRIVING: refused(
    409,
    "The bakery builds the tree: bakery.mode is execute",
    "Run sluice bakery mode file first, to let the daemon build it again",
  ),
  BAKERY_UNCONFIGURED: refused(
    409,
    "The bakery does not know its interfaces: {reason}",
    "Add a [shaper] table to the configuration, with a leaf that LibreQoS has",
    EXIT.config,
  ),
} as const satisfies Readonly<Record<string, ErrorSpec>>;
