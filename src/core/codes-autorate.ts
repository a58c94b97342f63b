/** The codes of autorate: a part of the registry in `codes.ts`. */
import { conflict, data, type ErrorSpec, failure, warning } from "./error-spec.ts";

/** The rows. */
export const AUTORATE_ERRORS = {
  // Configuration
  AUTORATE_MINIMUM_HIGH: warning(
    "{path} is {percent} % of the base rate, which leaves little room to go down",
    "Lower {path} to 60 % of the base rate or less, unless the line never carries less than that",
  ),
  AUTORATE_MINIMUM_LOW: warning(
    "{path} is only {rate}: at that rate the line is hardly usable",
    "Raise {path} to {wanted} or more, unless the line really carries as little at times",
  ),
  AUTORATE_BASE_LOW: warning(
    "{path} is only {rate}: one large packet takes longer than the delay that is looked for",
    "Check the unit: a number without one counts kbit/s",
  ),
  AUTORATE_DOUBTFUL: warning("{path} can hardly be meant so: {reason}", "Correct {path}, or leave it if it is meant"),
  AUTORATE_SITE_UNSEEN: warning(
    "{path} stands for a line to subscribers, and reflectors are taken to be on the Internet's side",
    'Name hosts behind the site in reflector_file, and set reflector_side to "subscribers"; or to "internet" if the node stands for the line there',
  ),
  AUTORATE_ROUTE_SHARED: warning(
    "The links {links} are measured over one and the same route, the default one",
    "Give each link a source_interface, source_address or fwmark that leads its probes over its own line",
  ),

  // Measuring
  AUTORATE_REFLECTORS_SYNTAX: data("Cannot parse the list of reflectors: {reason}", "Mend the quoting at this place"),
  AUTORATE_REFLECTORS_EMPTY: data(
    "The list of reflectors names none",
    "Add rows such as 9.9.9.9,4,Quad9, or leave the list out of the configuration to use the one that comes with sluice",
  ),
  AUTORATE_REFLECTOR_ADDRESS: data(
    '"{value}" cannot be a reflector: {reason}',
    "Give the address of one host, such as 9.9.9.9 or 2620:fe::fe",
  ),
  AUTORATE_REFLECTOR_VERSION: data(
    'The row says IP version "{version}", but {address} is an IPv{family} address',
    "Correct one of the two, or leave the version empty",
  ),
  AUTORATE_REFLECTOR_DUPLICATE: warning(
    "{address} is listed twice, first on line {first}",
    "Remove one of the rows; it is asked once",
  ),
  AUTORATE_PROBE_PERMISSION: failure(
    'Cannot open a socket to measure link "{name}": {reason}',
    "Run sluiced as root, or with CAP_NET_RAW and, for fwmark, CAP_NET_ADMIN",
  ),

  // Import
  AUTORATE_IMPORT_SYNTAX: data(
    "Cannot read {what}: {reason}",
    "Mend this place, or a copy of the file; nothing was written",
  ),
  AUTORATE_IMPORT_VALUE: data(
    "Cannot take over {setting}: {reason}",
    "Correct {setting} where it is set, or a copy of it; nothing was written",
  ),

  // Targets
  AUTORATE_TARGET_MISSING: conflict(
    "Cannot find {target}: {reason}",
    "Make it (tc qdisc add ..., or sluice apply for a site), or name another target; it is looked for again by itself",
  ),
  AUTORATE_TARGET_REFUSED: failure(
    "Cannot set {target} to {rate}: {reason}",
    "Check with tc -s qdisc show what is there, and that sluiced may change it (CAP_NET_ADMIN)",
  ),

  // Lua
  AUTORATE_LUA_SYNTAX: data("Cannot read the Lua script: {reason}", "Mend the script at this place"),
  AUTORATE_LUA_CONTRACT: data(
    "Cannot use the Lua script: {reason}",
    "Let it return a table with the functions that docs/autorate-lua.md names",
  ),
  AUTORATE_LUA_FAILED: data(
    "The Lua script failed when it was started: {reason}",
    "Mend the script, or take it out of the configuration",
  ),

  // Traces
  AUTORATE_TRACE: data(
    "Cannot replay {file}: {reason}",
    "Name a trace: the trace_file of a link, or what sluice autorate trace wrote",
  ),
} as const satisfies Readonly<Record<string, ErrorSpec>>;
