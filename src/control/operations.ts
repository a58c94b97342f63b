/**
 * What the routes of the API do where no daemon is needed: each works on files, store and kernel alone, so the command line
 * can do it by itself too. Everything is loaded by the operation that needs it.
 */
import type { Input, Output, RouteName } from "../api/routes.ts";
import type { Place } from "./place.ts";

/** An operation. @throws SluiceError */
export type Operation<N extends RouteName> = (place: Place, input: Input<N>) => Promise<Output<N>>;

/** Every such operation. */
export const OPERATIONS = {
  "shaper.check": async ({ config }) => {
    const { readCheckable } = await import("./files.ts");
    const { checkFiles } = await import("./shaper/check.ts");
    return checkFiles(readCheckable(config));
  },
  "shaper.plan": async (place, { query }) => {
    const { readInputs } = await import("./files.ts");
    const { planFiles } = await import("./shaper/plan-files.ts");
    return planFiles(place, readInputs(place.config), query);
  },
  "shaper.apply": async (place, { body }) => {
    const { readInputs } = await import("./files.ts");
    const { applyInputs } = await import("./shaper/apply.ts");
    const { executor, ...options } = body;
    const applied = await applyInputs(place, readInputs(place.config), { ...options, executor: { kind: executor } });
    return applied.output;
  },
  "shaper.cleanup": async (place, { body }) => {
    const { readShaperConfig } = await import("./files.ts");
    const { cleanUp } = await import("./shaper/apply.ts");
    return cleanUp(place, readShaperConfig(place.config).config, body.lockTimeout);
  },
  "shaper.tree": async (place, { query }) => {
    const { readInputs } = await import("./files.ts");
    const { treeOutput } = await import("./shaper/view.ts");
    return treeOutput(place, readInputs(place.config), query.circuits);
  },
  "shaper.circuits": async (place) => {
    const { readInputs } = await import("./files.ts");
    const { circuitsOutput } = await import("./shaper/view.ts");
    return circuitsOutput(place, readInputs(place.config));
  },
  "shaper.circuit": async (place, { params }) => {
    const { readInputs } = await import("./files.ts");
    const { circuitOutput } = await import("./shaper/view.ts");
    return circuitOutput(place, readInputs(place.config), params.id);
  },
  "shaper.export": async ({ config, netns }, { query }) => {
    const { readShaperConfig } = await import("./files.ts");
    const { exportLibreqos, exportSource } = await import("./shaper/export.ts");
    return exportLibreqos(exportSource(readShaperConfig(config).config), {
      ...query,
      ...(netns !== undefined && { netns }),
    });
  },
  "programs.list": async (place, input) => (await import("./dispatcher/programs.ts")).listPrograms(place, input),
  "programs.get": async (place, input) => (await import("./dispatcher/programs.ts")).getProgram(place, input),
  "programs.load": async (place, input) => (await import("./dispatcher/programs.ts")).loadFile(place, input),
  "programs.pull": async (place, input) => (await import("./dispatcher/programs.ts")).loadImage(place, input),
  "programs.unload": async (place, input) => (await import("./dispatcher/programs.ts")).unload(place, input),
  "links.list": async (place, input) => (await import("./dispatcher/links.ts")).listLinks(place, input),
  "links.get": async (place, input) => (await import("./dispatcher/links.ts")).getLink(place, input),
  "links.attach": async (place, input) => (await import("./dispatcher/links.ts")).attach(place, input),
  "links.detach": async (place, input) => (await import("./dispatcher/links.ts")).detach(place, input),
  "dispatchers.list": async (place) => (await import("./dispatcher/dispatchers.ts")).listDispatchers(place),
  "dispatchers.get": async (place, input) => (await import("./dispatcher/dispatchers.ts")).getDispatcher(place, input),
  "doctor.check": async (place) => (await import("./dispatcher/dispatchers.ts")).check(place),
  "doctor.rules": async () => (await import("./dispatcher/dispatchers.ts")).rules(),
  gc: async (place, input) => (await import("./dispatcher/dispatchers.ts")).gc(place, input),
} as const satisfies { readonly [N in RouteName]?: Operation<N> };

/** The routes that need no daemon. */
export type LocalRoute = keyof typeof OPERATIONS;
