/** Operations on dispatchers, and what keeps store, kernel and pins coherent. */
import type { Input, Output } from "../../api/routes.ts";
import { sluiceError } from "../../core/errors.ts";
import { dispatcherActionJson } from "../../dispatcher/actions.ts";
import { examine, RULES } from "../../dispatcher/doctor.ts";
import { findDevice } from "../../dispatcher/manage.ts";
import { keyText } from "../../dispatcher/model.ts";
import { openDispatcher, type Place } from "../place.ts";
import { plannedOutput } from "./change.ts";
import { dispatcherJson } from "./json.ts";

/** `dispatchers.list` */
export async function listDispatchers(place: Place): Promise<Output<"dispatchers.list">> {
  using dispatcher = openDispatcher(place);
  const state = dispatcher.state();
  const dispatchers = [...state.dispatchers.values()].map((record) => dispatcherJson(record, state));
  return { schema: "sluice/dispatchers/1", dispatchers };
}

/** `dispatchers.get` */
export async function getDispatcher(
  place: Place,
  { params: { hook, device }, query: { netns } }: Input<"dispatchers.get">,
): Promise<Output<"dispatchers.get">> {
  using dispatcher = openDispatcher(place);
  const key = { hook, ...findDevice(dispatcher, device, netns) };
  const state = dispatcher.state();
  const record = state.dispatchers.get(keyText(key));
  if (!record) throw sluiceError("DISPATCHER_UNKNOWN", { ...key });
  return { schema: "sluice/dispatcher/1", dispatcher: dispatcherJson(record, state) };
}

/** `doctor.check` */
export async function check(place: Place): Promise<Output<"doctor.check">> {
  using dispatcher = openDispatcher(place);
  return { schema: "sluice/doctor/1", findings: examine(dispatcher.snapshot()) };
}

/** `doctor.rules` */
export async function rules(): Promise<Output<"doctor.rules">> {
  return {
    schema: "sluice/doctor-rules/1",
    rules: RULES.map(({ name: rule, severity, brief, rationale }) => ({ rule, severity, brief, rationale })),
  };
}

/** `gc` */
export async function gc(place: Place, { body }: Input<"gc">): Promise<Output<"gc">> {
  using dispatcher = openDispatcher(place, body.lockTimeout);
  const change = await dispatcher.heal({ dryRun: body.plan });
  if (body.plan) return plannedOutput(change);
  const { actions } = change.plan;
  const rows = actions.flatMap((action) => (action.kind === "store.commit" ? action.changes : []));
  const removed = (kind: string): number => rows.filter((row) => row.kind === kind).length;
  return {
    schema: "sluice/gc/1",
    actions: actions.map((action) => dispatcherActionJson(action)),
    removed: {
      programs: removed("program.delete"),
      dispatchers: removed("dispatcher.delete"),
      links: removed("link.delete"),
      pins: actions.filter(({ kind }) => kind === "pin.remove").length,
    },
    mended: removed("dispatcher.put"),
    left: examine(dispatcher.snapshot()),
    warnings: [...change.warnings],
  };
}
