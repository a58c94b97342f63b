/** `sluice autorate trace LINK`: a trace as it is made, for `sluice autorate replay`. */
import { sluiceError } from "../../../core/errors.ts";
import { answer, type CliContext } from "../../context.ts";
import { ask, follow } from "../../perform.ts";
import { reporting } from "../../report.ts";

async function trace(this: CliContext, _flags: object, name: string): Promise<void> {
  const { link } = await ask(this, "autorate.link", { params: { name }, query: { ticks: "0" } });
  const { headerOf } = await import("../../../control/autorate/trace.ts");
  let began = false;
  return follow(this, "autorate.stream", { query: { link: name, trace: "true" } }, ({ trace: record }) => {
    if (record === null) throw sluiceError("DAEMON_ANSWER", { reason: "a tick came without its trace" });
    if (!began) answer(this, headerOf(link, record));
    began = true;
    answer(this, JSON.stringify({ kind: "tick", ...record }));
  });
}

/** Runs the command. */
export default reporting(trace);
