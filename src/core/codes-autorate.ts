/** The codes of autorate: a part of the registry in `codes.ts`. */
import { conflict, type ErrorSpec, failure } from "./error-spec.ts";

/** The rows. */
export const AUTORATE_ERRORS = {
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
