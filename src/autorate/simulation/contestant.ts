/** Who takes part in a comparison on simulated lines: a controller by its name, with options of its own or without. */
import { both, DIRECTIONS } from "../../core/both.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { LinkConfig, Options } from "../config.ts";
import { isScript } from "../settings/controller-name.ts";
import { CONTROLLER_OPTIONS } from "../settings/options.ts";
import { readAutorate } from "../settings/read.ts";
import type { Scalar } from "../settings/value-type.ts";
import type { Scenario } from "./scenario.ts";

/** Nobody: the line as it is. */
const NOBODY = "none";

/** Who takes part. */
export interface Contestant {
  /** As it was asked for: `ewma`, `sluice:headroom=0.05`. */
  readonly label: string;
  /** Undefined: nobody sets any rate. */
  readonly controller: string | undefined;
  /** Those that are not to be the default. */
  readonly options: Options;
}

/** Nobody, and every controller with its defaults. */
export const CONTESTANTS: readonly string[] = [NOBODY, ...Object.keys(CONTROLLER_OPTIONS).toReversed()];

type Line = Pick<Scenario, "bounds">;

/** The link of a simulated line, as the daemon would read it; or why it would refuse it. Nobody has none. */
export function linkOf(
  { controller, options }: Contestant,
  { bounds }: Line,
): { readonly link: LinkConfig | undefined } | { readonly reason: string } {
  if (controller === undefined) return { link: undefined };
  const rates = DIRECTIONS.flatMap((d): [string, string][] => [
    [`${d}_interface`, d],
    [`${d}_base`, `${bounds[d].base}kbit`],
    [`${d}_min`, `${bounds[d].min}kbit`],
    [`${d}_max`, `${bounds[d].max}kbit`],
  ]);
  const simulated = { ...Object.fromEntries(rates), controller, options };
  const values = { autorate: { links: { simulated } } };
  const { config, problems } = readAutorate({ file: "", values, at: () => ({ file: "" }), problems: [] });
  if (config) return { link: config.links[0] };
  const reasons = problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
  return { reason: reasons.join("; ").replaceAll("autorate.links.simulated.", "") };
}

/** A line of any kind: options are not judged by its rates. */
const ANY: Line = { bounds: both(() => ({ min: 1000, base: 5000, max: 8000 })) };

/** `0.05`, `true`, or a word. */
function scalar(text: string): Scalar {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function readOption(text: string): readonly [string, Scalar] | undefined {
  const at = text.indexOf("=");
  return at > 0 ? [text.slice(0, at).trim(), scalar(text.slice(at + 1))] : undefined;
}

/**
 * Reads `none`, `NAME`, or `NAME:KEY=VALUE,KEY=VALUE`.
 *
 * @returns why it cannot be, when it cannot
 */
export function parseContestant(label: string): Contestant | { readonly reason: string } {
  const colon = label.indexOf(":");
  const name = colon < 0 ? label : label.slice(0, colon);
  const given = colon < 0 ? [] : label.slice(colon + 1).split(",");
  if (isScript(name)) {
    return { reason: `"${name}" is a script: its answers come from a thread, and a simulated line waits for nobody` };
  }
  if (!CONTESTANTS.includes(name)) {
    const hint = didYouMean(name, CONTESTANTS);
    return { reason: `There is no controller "${name}", only ${CONTESTANTS.join(", ")}${hint}` };
  }
  if (name === NOBODY && given.length > 0) return { reason: `"${label}" has options, and "${NOBODY}" takes none` };
  const entries = given.map((text) => readOption(text));
  const wrong = entries.indexOf(undefined);
  if (wrong >= 0) return { reason: `"${given[wrong]}" in "${label}" is no option: wanted KEY=VALUE` };
  const options = Object.fromEntries(entries.filter((entry) => entry !== undefined));
  const contestant: Contestant = { label, controller: name === NOBODY ? undefined : name, options };
  const read = linkOf(contestant, ANY);
  return "reason" in read ? { reason: `In "${label}": ${read.reason}` } : contestant;
}
