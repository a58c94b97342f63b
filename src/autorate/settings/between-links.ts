/** What only all links together tell. */
import { DIRECTIONS } from "../../core/both.ts";
import { type Problem, problem } from "../../core/errors.ts";
import type { DirectionConfig, LinkConfig, TargetSpec } from "../config.ts";
import type { Place } from "./link-table.ts";
import { collide, targetText } from "./target.ts";

/** Two of a list, each pair once. */
function pairs<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.flatMap((first, at) => list.slice(at + 1).map((second) => [first, second] as const));
}

const targetsOf = ({ directions }: LinkConfig): TargetSpec[] =>
  DIRECTIONS.flatMap((d): DirectionConfig[] => (directions[d] ? [directions[d]] : [])).map(({ target }) => target);

/** Files that two links would write over each other, or one link twice. */
function sharedFiles(links: readonly LinkConfig[], at: Place): Problem[] {
  const files = links.flatMap(({ name, statsFile, speedHistoryFile, traceFile }) => {
    const written = { stats_file: statsFile, speed_history_file: speedHistoryFile, trace_file: traceFile };
    return Object.entries(written).flatMap(([key, file]) =>
      file === undefined ? [] : [{ path: `autorate.links.${name}.${key}`, file }],
    );
  });
  return pairs(files)
    .filter(([first, second]) => first.file === second.file)
    .map(([first, { path, file }]) => {
      const reason = `${first.path} writes "${file}" too, and each needs a file of its own`;
      return problem("CONFIG_VALUE", { path, reason }, at(path));
    });
}

/** Shapers that two links would set. */
function sharedTargets(links: readonly LinkConfig[], at: Place): Problem[] {
  return pairs(links).flatMap(([first, second]) =>
    targetsOf(second)
      .filter((target) => targetsOf(first).some((other) => collide(target, other)))
      .map((target) => {
        const path = `autorate.links.${second.name}`;
        const reason = `it sets ${targetText(target)}, which autorate.links.${first.name} sets too`;
        return problem("CONFIG_VALUE", { path, reason }, at(path));
      }),
  );
}

/** Links whose probes all go where the routes say, and so over one line. Sites are all behind one. */
function sharedRoute(links: readonly LinkConfig[], at: Place): Problem[] {
  const unled = links.filter(
    ({ probe, directions }) =>
      probe.sourceInterface === undefined &&
      probe.sourceAddress === undefined &&
      probe.fwmark === undefined &&
      DIRECTIONS.some((d) => directions[d] && directions[d].target.kind !== "site"),
  );
  if (unled.length < 2) return [];
  const names = unled.map(({ name }) => name).join(", ");
  return [problem("AUTORATE_ROUTE_SHARED", { links: names }, at(`autorate.links.${unled[1]!.name}`))];
}

/** Everything that is wrong between links. */
export const checkLinks = (links: readonly LinkConfig[], at: Place): Problem[] => [
  ...sharedTargets(links, at),
  ...sharedFiles(links, at),
  ...sharedRoute(links, at),
];
