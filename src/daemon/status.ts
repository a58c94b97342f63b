/** What the daemon says of itself. */
import type { Output } from "../api/routes.ts";
import type { StatusJson } from "../api/schemas/system.ts";
import { CONDITIONS, type ConditionSpec } from "./conditions.ts";
import type { Keeper } from "./keeper.ts";
import type { Supervisor } from "./supervisor.ts";
import type { System } from "./system.ts";

/** What a status is made of. */
export interface StatusInput {
  readonly system: System;
  readonly keeper: Keeper;
  readonly supervisor: Supervisor;
  readonly version: string;
  readonly startedAt: number;
  readonly state: StatusJson["state"];
}

/** One line: what is shaped by which configuration, and what is wrong. */
export function statusText({ system, keeper, state }: StatusInput): string {
  const { active, configuration } = keeper;
  const [worst] = system.journal.health.list();
  if (state !== "ready") return state;
  const what =
    configuration?.inputs === undefined ? "nothing is to be shaped" : `shaping by configuration ${active?.id ?? "-"}`;
  return worst ? `${what}; ${worst.severity}: ${worst.message}` : what;
}

/** `status` */
export function statusOutput(input: StatusInput): Output<"status"> {
  const { system, keeper, supervisor, version, startedAt, state } = input;
  const conditions = system.journal.health.list();
  const count = (severity: string): number => conditions.filter((condition) => condition.severity === severity).length;
  const { user, system: kernel } = process.cpuUsage();
  return {
    schema: "sluice/status/1",
    version,
    pid: process.pid,
    startedAt: new Date(startedAt).toISOString(),
    uptimeSeconds: process.uptime(),
    state,
    text: statusText(input),
    configuration: keeper.active ?? null,
    parts: supervisor.parts,
    health: { errors: count("error"), warnings: count("warning") },
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + kernel) / 1e6,
  };
}

/** `health` */
export const healthOutput = ({ journal }: System): Output<"health"> => ({
  schema: "sluice/health/1",
  conditions: journal.health.list(),
  declared: Object.entries<ConditionSpec>(CONDITIONS).map(([code, { severity, title, remedy }]) => ({
    code,
    severity,
    title,
    remedy,
  })),
});
