/**
 * Logs by category, each with a level of its own that can be changed while the process runs. The only importer of the
 * logging library; a process that never calls {@link configureLogs} logs nothing.
 */
import { configure, getLogger, type Logger, type LogLevel, type LogRecord, type Sink } from "@logtape/logtape";

/** Levels by category below `sluice`, such as `{ shaper: "debug" }`; the empty category is all of them. */
export type LogLevels = Readonly<Record<string, LogLevel>>;

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warning", "error", "fatal"];
/** syslog priorities, which journald reads from the line's head (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { trace: 7, debug: 7, info: 6, warning: 4, error: 3, fatal: 2 };

const known = new Set<string>();

/** The logger of a category: `logger("shaper", "apply")`. */
export function logger(...category: string[]): Logger {
  known.add(category.join("."));
  return getLogger(["sluice", ...category]);
}

/** Every category that has been asked for so far, in order. */
export const logCategories = (): string[] => [...known].toSorted();

/** Reads levels as `SLUICE_LOG` has them: `info`, or `shaper=debug,netlink=trace`; undefined when a word is none. */
export function parseLogLevels(text: string): LogLevels | undefined {
  const levels: Record<string, LogLevel> = {};
  for (const part of text.split(",").filter(Boolean)) {
    const [category, level] = part.includes("=") ? (part.split("=", 2) as [string, string]) : ["", part];
    if (!LEVELS.includes(level as LogLevel)) return undefined;
    levels[category] = level as LogLevel;
  }
  return levels;
}

const textLine = (record: LogRecord): string => {
  const place = record.category.slice(1).join(".");
  return `${new Date(record.timestamp).toISOString()} ${record.level} ${place}: ${record.message.join("")}`;
};

/** One JSON object a line with journald's priority before it. */
const journalLine = (record: LogRecord): string => {
  const { level, category, timestamp, message, properties } = record;
  const fields = {
    time: timestamp,
    level,
    category: category.slice(1).join("."),
    message: message.join(""),
    ...properties,
  };
  return `<${PRIORITIES[level]}>${JSON.stringify(fields)}`;
};

/** Sets levels and where lines go, in place of what was set before. `journal` writes JSON for journald. */
export async function configureLogs(levels: LogLevels, write: (line: string) => void, journal = false): Promise<void> {
  const format = journal ? journalLine : textLine;
  const sink: Sink = (record) => write(format(record));
  const all = { "": "warning" as LogLevel, ...levels };
  await configure({
    reset: true,
    sinks: { main: sink },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["main"] },
      ...Object.entries(all).map(([category, lowestLevel]) => ({
        category: ["sluice", ...category.split(".").filter(Boolean)],
        lowestLevel,
        // An inherited sink would pass only what the parent's level lets through.
        sinks: ["main"],
        parentSinks: "override" as const,
      })),
    ],
  });
}
