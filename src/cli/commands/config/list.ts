/** `sluice config list`: configurations that were carried out. */
import { humanBytes } from "../../../core/units.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

async function list(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "config.history", {});
  if (flags.json) return answerJson(this, output);
  const { configurations } = output;
  if (configurations.length === 0) return answer(this, "No configuration was carried out yet");
  type Row = (typeof configurations)[number];
  const columns = [
    { title: "ID", align: "right", cell: ({ id, active }: Row) => `${active ? "* " : ""}${id}` },
    { title: "LOADED AT", cell: ({ loadedAt }: Row) => loadedAt },
    { title: "BY", cell: ({ who }: Row) => who },
    {
      title: "FILES",
      cell: ({ files }: Row) => files.map(({ role, bytes }) => `${role} ${humanBytes(bytes)}`).join(", "),
    },
    { title: "DIGEST", cell: ({ digest }: Row) => digest.slice(0, 12) },
  ] as const;
  return answer(this, table(configurations, columns, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
