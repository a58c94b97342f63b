/** One `[autorate.links.NAME]`, read with every problem in it. */
import { resolve } from "node:path";
import { DIRECTIONS, type Both } from "../../core/both.ts";
import { problem, type Problem } from "../../core/errors.ts";
import { humanRate } from "../../core/units.ts";
import type { DirectionConfig, LinkConfig, ProbeConfig } from "../config.ts";
import { isScript } from "./controller-name.ts";
import { namesTarget, readDirection } from "./direction.ts";
import { directed } from "./key.ts";
import { DIRECTION_KEYS, LINK_KEYS } from "./keys.ts";
import type { LinkTable } from "./link-table.ts";
import { type OptionTables, readOptions, readPluginSettings } from "./read-options.ts";
import { collide, targetText } from "./target.ts";

/** Traffic that is some, kbit/s, as far as the line is fast enough for it. */
const USUAL_ACTIVE = 2000;
/** Of base. */
const ACTIVE_SHARE = 0.1;
/** With fewer, sqm-autorate looks for others in every tick. */
const EWMA_REFLECTORS = 5;

type Directions = Partial<Both<DirectionConfig>>;

/** What traffic is some: never what a slow line is filled by. */
function usualActive(directions: readonly DirectionConfig[]): number {
  const limits = directions.flatMap(({ bounds: { min, base } }) => [min, ACTIVE_SHARE * base]);
  return Math.min(USUAL_ACTIVE, ...limits);
}

function readActive(link: LinkTable, directions: Directions): number {
  const found = DIRECTIONS.flatMap((d) => directions[d] ?? []);
  const said = link.said(LINK_KEYS.activeRate);
  if (said === undefined) return usualActive(found);
  const least = Math.min(...found.map(({ bounds }) => bounds.min));
  if (said <= least) return said;
  const reason = `it is ${humanRate(said * 1000)}, above the lowest minimum of ${humanRate(least * 1000)}: a line at its minimum would count as idle`;
  if (link.has(LINK_KEYS.activeRate)) link.refuse(LINK_KEYS.activeRate, reason);
  // What is meant for all links gives way on a slow one.
  return Math.min(said, usualActive(found));
}

function readDirections(link: LinkTable, missing: (path: string, example: string) => void): Directions {
  const site = link.has(LINK_KEYS.site) ? link.said(LINK_KEYS.site) : undefined;
  if (link.has(LINK_KEYS.site)) {
    for (const key of [DIRECTION_KEYS.interface, DIRECTION_KEYS.target])
      for (const d of DIRECTIONS) {
        const name = directed(key.name, d);
        if (link.table.has(name)) link.table.refuse(name, "site is there too, and stands for both directions");
      }
  }
  const sited = link.has(LINK_KEYS.site) ? (site ?? "") : undefined;
  if (sited === undefined && !DIRECTIONS.some((d) => namesTarget(link, d))) {
    missing("download_interface", 'download_interface = "ifb4wan", upload_interface = "wan", or site = "Tower 1"');
    return {};
  }
  const [download, upload] = DIRECTIONS.map((d) => readDirection(link, d, sited));
  if (site === undefined && download && upload && collide(download.target, upload.target)) {
    const name = link.table.has("upload_target") ? "upload_target" : "upload_interface";
    const what = targetText(download.target);
    link.table.refuse(name, `it is set by download too (${what}); the two directions need shapers of their own`);
  }
  return { ...(download && { download }), ...(upload && { upload }) };
}

function readProbe(link: LinkTable, path: (file: string) => string): ProbeConfig {
  const reflectorFile = link.said(LINK_KEYS.reflectorFile);
  const sourceInterface = link.said(LINK_KEYS.sourceInterface);
  const sourceAddress = link.said(LINK_KEYS.sourceAddress);
  const fwmark = link.said(LINK_KEYS.fwmark);
  const side = link.said(LINK_KEYS.reflectorSide);
  if (link.has(LINK_KEYS.site) && side === undefined) link.warn("AUTORATE_SITE_UNSEEN", LINK_KEYS.site, {});
  const reflectors = link.value<number>(LINK_KEYS.reflectors);
  if (link.controller === "ewma" && reflectors < EWMA_REFLECTORS) {
    const reason = `with fewer than ${EWMA_REFLECTORS} reflectors ewma takes the lowest delay for the usual one, and looks for others all the time`;
    link.warn("AUTORATE_DOUBTFUL", LINK_KEYS.reflectors, { reason });
  }
  return {
    modes: link.value(LINK_KEYS.modes),
    interval: link.value<number>(LINK_KEYS.interval),
    reflectors,
    reselect: link.value<number>(LINK_KEYS.reselect),
    ...(reflectorFile !== undefined && { reflectorFile: path(reflectorFile) }),
    ...(side !== undefined && { side }),
    ...(sourceInterface !== undefined && { sourceInterface }),
    ...(sourceAddress !== undefined && { sourceAddress }),
    ...(fwmark !== undefined && { fwmark }),
  };
}

/** The files that are written. */
function readFiles(link: LinkTable, path: (file: string) => string) {
  const stats = link.said(LINK_KEYS.statsFile);
  const history = link.said(LINK_KEYS.speedHistoryFile);
  const trace = link.said(LINK_KEYS.traceFile);
  if (link.has(LINK_KEYS.speedHistoryFile) && link.controller !== "ewma") {
    const reason = `only ewma remembers such rates, and the controller is ${link.controller}`;
    link.warn("AUTORATE_DOUBTFUL", LINK_KEYS.speedHistoryFile, { reason });
  }
  return {
    ...(stats !== undefined && { statsFile: path(stats) }),
    ...(history !== undefined && { speedHistoryFile: path(history) }),
    ...(trace !== undefined && { traceFile: path(trace) }),
  };
}

function readHighLoad(link: LinkTable): number {
  const level = link.value<number>(LINK_KEYS.highLoad);
  if (link.has(LINK_KEYS.highLoad) && (level === 0 || level > 1)) {
    const reason = level === 0 ? "any traffic counts as a loaded line" : "a line at its rate does not count as loaded";
    link.warn("AUTORATE_DOUBTFUL", LINK_KEYS.highLoad, { reason });
  }
  return level;
}

/** What is read of a link. */
export interface LinkResult {
  /** Absent when something in it cannot be used at all. */
  readonly link?: LinkConfig;
  readonly problems: readonly Problem[];
}

/** Reads a link. Paths in it are relative to `folder`. */
export function readLink(link: LinkTable, tables: OptionTables, folder: string): LinkResult {
  const problems: Problem[] = [];
  const path = (file: string): string => resolve(folder, file);
  // One that cannot be used has no defaults and no options, so that nothing more is said of it.
  link.controller = link.said(LINK_KEYS.controller) ?? (link.has(LINK_KEYS.controller) ? "" : tables.controller);
  const { controller } = link;
  const directions = readDirections(link, (key, example) =>
    problems.push(problem("CONFIG_MISSING", { path: link.path(key), example }, tables.at(link.path(key)))),
  );
  const options = readOptions(link, tables);
  const plugins = link.said(LINK_KEYS.plugins) ?? [];
  const config: LinkConfig = {
    name: link.name,
    controller: isScript(controller) ? path(controller) : controller,
    options: options.options,
    plugins: plugins.map((file) => path(file)),
    ...readPluginSettings(link, tables, plugins, problems),
    luaOnError: link.value(LINK_KEYS.luaOnError),
    directions,
    probe: readProbe(link, path),
    highLoad: readHighLoad(link),
    activeRate: readActive(link, directions),
    onSilence: link.value(LINK_KEYS.onSilence),
    idleSleep: link.value<number>(LINK_KEYS.idleSleep),
    restore: link.value<boolean>(LINK_KEYS.restore),
    ...readFiles(link, path),
  };
  problems.push(...options.problems, ...link.warnings, ...link.table.problems);
  return { ...(Object.keys(directions).length > 0 && { link: config }), problems };
}
