/** `sluice bakery get` and `sluice bakery mode`. */
import type { Output } from "../../../api/routes.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
}

function show(context: CliContext, flags: Flags, output: Output<"bakery.get">): void {
  if (flags.json) return answerJson(context, output);
  const entries = [
    ["Mode", output.mode],
    ["File", output.file],
    ["Waiting", `${output.waiting} of ${output.bound}`],
    ["Carried out", output.carriedOut],
    ["Failed", output.failed],
  ] as const;
  return answer(context, sectionLines([{ title: "Bakery", entries }]).join("\n"));
}

/** Runs `get`. */
export const get = reporting(async function get(this: CliContext, flags: Flags): Promise<void> {
  show(this, flags, await ask(this, "bakery.get", {}));
});

/** Runs `mode`. */
export const mode = reporting(async function mode(
  this: CliContext,
  flags: Flags,
  wanted: "file" | "execute",
): Promise<void> {
  show(this, flags, await ask(this, "bakery.mode", { body: { mode: wanted } }));
});
