/** `sluice program load image`. */
import { resolve } from "node:path";
import type { CliContext } from "../../context.ts";
import { perform } from "../../perform.ts";
import { reporting } from "../../report.ts";
import { answerLoaded, type LoadFlags, loadingOf } from "./load.ts";

interface Flags extends LoadFlags {
  readonly programs?: readonly string[];
  readonly pullPolicy: "Always" | "IfNotPresent" | "Never";
  readonly registryAuth?: string;
}

/** A folder as whoever reads it finds it, from wherever they run. */
const imageOf = (reference: string): string =>
  reference.startsWith("oci:") ? `oci:${resolve(reference.slice("oci:".length))}` : reference;

async function loadImage(this: CliContext, flags: Flags, reference: string): Promise<void> {
  const { parseProgram } = await import("../../../control/words.ts");
  const auth = flags.registryAuth ?? process.env["SLUICE_REGISTRY_AUTH"];
  const programs = flags.programs?.map((word) => ({ ...parseProgram(word) }));
  const body = {
    image: imageOf(reference),
    pullPolicy: flags.pullPolicy,
    ...(auth !== undefined && { registryAuth: auth }),
    ...(programs && { programs }),
    ...(await loadingOf(flags)),
  };
  answerLoaded(this, flags, await perform(this, { direct: flags.direct }, "programs.pull", { body }));
}

/** Runs the command. */
export default reporting(loadImage);
