/** `sluice program load image`. */
import { sluiceError } from "../../../core/errors.ts";
import { pullImage } from "../../../dispatcher/image/pull.ts";
import { parseProgram } from "../../../dispatcher/words.ts";
import { pathsBelow } from "../../../linux/paths.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { loadAndAnswer, type LoadFlags } from "./load.ts";

interface Flags extends LoadFlags {
  readonly programs?: readonly string[];
  readonly pullPolicy: "Always" | "IfNotPresent" | "Never";
  readonly registryAuth?: string;
}

async function loadImage(this: CliContext, flags: Flags, reference: string): Promise<void> {
  const auth = flags.registryAuth ?? process.env["SLUICE_REGISTRY_AUTH"];
  const pulled = await pullImage({
    reference,
    policy: flags.pullPolicy,
    cacheFolder: pathsBelow().images,
    signal: this.signal,
    ...(auth !== undefined && { auth }),
  });
  const labelled = [...pulled.programs].map(([name, type]) => `${type}:${name}`);
  const programs = (flags.programs ?? labelled).map((word) => parseProgram(word));
  if (programs.length === 0) {
    const reason = `The image "${reference}" has no label that names its programs: name them with --programs`;
    throw sluiceError("USAGE", { reason, command: "sluice program load image" });
  }
  const source = { kind: "image", url: reference, digest: pulled.digest, pullPolicy: flags.pullPolicy } as const;
  return loadAndAnswer(this, flags, { label: reference, source, programs, image: pulled.image });
}

/** Runs the command. */
export default reporting(loadImage);
