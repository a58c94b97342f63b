/** `sluice change list`: plans that were carried out, or failed. */
import { formatSummary } from "../../../core/plan.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { signCount } from "../../render/problems.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly limit?: number;
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const query = flags.limit === undefined ? {} : { limit: String(flags.limit) };
  const output = await ask(this, "plans", { query });
  if (flags.json) return answerJson(this, output);
  const { plans } = output;
  if (plans.length === 0) return answer(this, "Nothing was changed yet");
  type Row = (typeof plans)[number];
  const columns = [
    { title: "ID", align: "right", cell: ({ id }: Row) => String(id) },
    { title: "TIME", cell: ({ time }: Row) => time },
    { title: "BY", cell: ({ who }: Row) => who },
    { title: "RESULT", cell: ({ result, reason }: Row) => (reason === undefined ? result : `${result}: ${reason}`) },
    { title: "WHAT", cell: ({ summary }: Row) => formatSummary(signCount(summary)) },
    { title: "MS", align: "right", cell: ({ milliseconds }: Row) => String(milliseconds) },
  ] as const;
  return answer(this, table(plans, columns, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
