/** Operations on programs. */
import type { Input, Output } from "../../api/routes.ts";
import { sluiceError } from "../../core/errors.ts";
import { kernelPrograms, nameOfProgram } from "../../dispatcher/fetch.ts";
import { pullImage } from "../../dispatcher/image/pull.ts";
import { loadPrograms, unloadPrograms } from "../../dispatcher/manage.ts";
import type { ProgramSource } from "../../dispatcher/model.ts";
import { missingProgram } from "../../dispatcher/plan/attach.ts";
import type { ProgramRequest } from "../../dispatcher/plan/load.ts";
import { kernelProgram } from "../../dispatcher/view.ts";
import { parseProgram } from "../../dispatcher/words.ts";
import { openDispatcher, type Place } from "../place.ts";
import { carries, forEach, plannedOutput } from "./change.ts";
import { programJson } from "./json.ts";

/** `programs.list` */
export async function listPrograms(place: Place, { query }: Input<"programs.list">): Promise<Output<"programs.list">> {
  using dispatcher = openDispatcher(place);
  const state = dispatcher.state();
  const ours = [...state.programs.values()]
    .filter(({ type }) => query.type === undefined || type === query.type)
    .filter(({ metadata }) => carries(metadata, query.metadata))
    .map((record) => ({ managed: true as const, ...programJson(record, state, kernelProgram(record.id)) }));
  const others = query.all
    ? [...kernelPrograms()]
        .filter(([id]) => !state.programs.has(id))
        .map(([id, name]) => ({ managed: false as const, id, name, type: kernelProgram(id)?.type ?? null }))
    : [];
  return { schema: "sluice/programs/1", programs: [...ours, ...others].toSorted((a, b) => a.id - b.id) };
}

/** `programs.get` */
export async function getProgram(
  place: Place,
  { params: { id } }: Input<"programs.get">,
): Promise<Output<"programs.get">> {
  using dispatcher = openDispatcher(place);
  const state = dispatcher.state();
  const program = state.programs.get(id);
  if (!program) throw missingProgram(id, nameOfProgram(id));
  return { schema: "sluice/program/1", program: programJson(program, state, kernelProgram(id)) };
}

/** What both ways of loading share. */
interface Loading {
  readonly label: string;
  readonly source: ProgramSource;
  readonly programs: readonly ProgramRequest[];
  readonly image: Uint8Array;
  readonly options: Pick<Input<"programs.load">["body"], "globals" | "metadata" | "mapOwner" | "plan" | "lockTimeout">;
}

async function load(
  place: Place,
  { label, source, programs, image, options }: Loading,
): Promise<Output<"programs.load">> {
  const { globals, metadata, mapOwner, plan, lockTimeout } = options;
  const request = { label, source, programs, globals, metadata, ...(mapOwner !== undefined && { mapOwner }) };
  using dispatcher = openDispatcher(place, lockTimeout);
  const { change, items } = await loadPrograms(dispatcher, request, image, { dryRun: plan });
  if (plan) return plannedOutput(change);
  return {
    schema: "sluice/programs/1",
    programs: items.map((program) => programJson(program, change.state, kernelProgram(program.id))),
    warnings: [...change.warnings],
  };
}

/** `programs.load` */
export async function loadFile(place: Place, { body }: Input<"programs.load">): Promise<Output<"programs.load">> {
  const { objectBase64, path, programs, ...options } = body;
  const image = Buffer.from(objectBase64, "base64");
  return load(place, { label: path, source: { kind: "file", path }, programs, image, options });
}

/** `programs.pull` */
export async function loadImage(place: Place, { body }: Input<"programs.pull">): Promise<Output<"programs.pull">> {
  const { image: reference, pullPolicy, registryAuth, programs: wanted, ...options } = body;
  const pulled = await pullImage({
    reference,
    policy: pullPolicy,
    cacheFolder: place.paths.images,
    ...(place.signal && { signal: place.signal }),
    ...(registryAuth !== undefined && { auth: registryAuth }),
  });
  const programs = wanted ?? [...pulled.programs].map(([name, type]) => parseProgram(`${type}:${name}`));
  if (programs.length === 0) {
    const reason = `The image "${reference}" has no label that names its programs: name them with --programs`;
    throw sluiceError("USAGE", { reason, command: "sluice program load image" });
  }
  const source = { kind: "image", url: reference, digest: pulled.digest, pullPolicy } as const;
  return load(place, { label: reference, source, programs, image: pulled.image, options });
}

/** `programs.unload` */
export async function unload(place: Place, { body }: Input<"programs.unload">): Promise<Output<"programs.unload">> {
  const { ids, ignoreMissing, reclaimClsact, plan, lockTimeout } = body;
  using dispatcher = openDispatcher(place, lockTimeout);
  const options = { ignoreMissing, reclaimClsact };
  if (plan) return plannedOutput((await unloadPrograms(dispatcher, ids, { ...options, dryRun: true })).change);
  const { done, failed, warnings } = await forEach(ids, async (id) => {
    const { change, items } = await unloadPrograms(dispatcher, [id], options);
    return { done: items.length > 0, warnings: change.warnings };
  });
  return { schema: "sluice/programs-unloaded/1", unloaded: done, failed, warnings };
}
