/** The codes of autorate: a part of the registry in `codes.ts`. */
import { conflict, type ErrorSpec, failure, warning } from "./error-spec.ts";

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
  AUTORATE_ROUTE_SHARED: warning(
    "The links {links} are measured over one and the same route, the default one",
    "Give each link a source_interface, source_address or fwmark that leads its probes over its own line",
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
} as const satisfies Readonly<Record<string, ErrorSpec>>;
