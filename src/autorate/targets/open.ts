/** From what the configuration says to something with a rate. */
import type { Direction } from "../../core/both.ts";
import { sluiceError } from "../../core/errors.ts";
import type { RateTarget } from "../../core/rate-target.ts";
import type { TargetSpec } from "../config.ts";
import { DryRunTarget } from "./dry-run.ts";
import { TcTarget, type TcTargetOptions } from "./tc-target.ts";

/** What opening takes. */
export interface OpenOptions extends TcTargetOptions {
  readonly direction: Direction;
  /** Gives a node of the shaper's tree; without it there are no sites. */
  readonly site?: (name: string, direction: Direction) => RateTarget;
  /** Nothing is ever written. */
  readonly dryRun?: boolean;
}

function openReal(spec: TargetSpec, { direction, site, ...options }: OpenOptions): RateTarget {
  if (spec.kind !== "site") return new TcTarget(spec, options);
  if (site) return site(spec.name, direction);
  const params = { target: `site "${spec.name}"`, reason: "sites are nodes of a tree that sluiced shapes" };
  throw sluiceError("AUTORATE_TARGET_MISSING", params);
}

/**
 * Opens a target. It need not be there yet.
 *
 * @throws SluiceError AUTORATE_TARGET_MISSING for a site where there are none
 */
export function openTarget(spec: TargetSpec, options: OpenOptions): RateTarget {
  const real = openReal(spec, options);
  return options.dryRun ? new DryRunTarget(real) : real;
}
