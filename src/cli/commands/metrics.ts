/** `sluice metrics`: what Prometheus would be told. */
import type { CliContext } from "../context.ts";
import { ask } from "../perform.ts";
import { reporting } from "../report.ts";

async function metrics(this: CliContext, _flags: object): Promise<void> {
  this.process.stdout.write(await ask(this, "metrics", {}));
}

/** Runs the command. */
export default reporting(metrics);
