/** Detaching links, one or many: each dispatcher concerned is rebuilt once, for those that stay. */
import {
  isMember,
  keyText,
  type LinkDetails,
  type LinkRecord,
  type MemberDetails,
  type MemberLink,
  type State,
} from "../model.ts";
import type { Snapshot } from "../observed.ts";
import { planRebuild, type RebuildInputs } from "./rebuild.ts";
import type { Segment } from "./segment.ts";

/** What detaching is planned from. */
export interface DetachInputs extends Pick<RebuildInputs, "engine" | "now"> {
  readonly snapshot: Snapshot;
  /** Remove clsact with the last filter, where sluice made it. */
  readonly reclaimClsact?: boolean;
}

function detachMembers(links: readonly MemberLink[], inputs: DetachInputs): Segment[] {
  const { state, hooks } = inputs.snapshot;
  const byDispatcher = Map.groupBy(links, ({ details }) => keyText(details.key));
  return [...byDispatcher].map(([text, members]) => {
    const { key, device, netns } = members[0]!.details;
    const rebuild = {
      key,
      device,
      ...(netns !== undefined && { netns }),
      add: [],
      remove: new Set(members.map(({ id }) => id)),
      reclaimClsact: inputs.reclaimClsact ?? false,
    };
    return planRebuild(rebuild, { ...inputs, state, hook: hooks.get(text)! });
  });
}

function detachOther(link: LinkRecord, { snapshot }: DetachInputs): Segment {
  const { id, programId } = link;
  const details = link.details as Exclude<LinkDetails, MemberDetails>;
  const name = snapshot.state.programs.get(programId)?.name ?? "";
  return {
    prepare: [{ kind: "link.detach", linkId: id, programId, name, details }],
    changes: [{ kind: "link.delete", id }],
    cleanup: [],
  };
}

/** The segments that detach these links. */
export function planDetach(links: readonly LinkRecord[], inputs: DetachInputs): Segment[] {
  const members = links.filter((link) => isMember(link));
  const others = links.filter((link) => !isMember(link));
  return [...detachMembers(members, inputs), ...others.map((link) => detachOther(link, inputs))];
}

/** The segments that remove programs without links: their maps go with the last program that uses them. */
export function planForget(ids: readonly number[], state: State): Segment[] {
  const going = new Set(ids);
  const staying = [...state.programs.values()].filter(({ id }) => !going.has(id));
  const programs = [...state.programs.values()].filter(({ id }) => going.has(id));
  const freed = new Set<number>();
  return programs.map(({ id, name, mapSet, sharedMaps }): Segment => {
    const last = !freed.has(mapSet) && !staying.some((other) => other.mapSet === mapSet);
    if (last) freed.add(mapSet);
    const unshared = sharedMaps.filter((map) => !staying.some((other) => other.sharedMaps.includes(map)));
    return {
      prepare: [],
      changes: [{ kind: "program.delete", id }],
      cleanup: [{ kind: "program.remove", id, name, ...(last && { mapSet }), sharedMaps: unshared }],
    };
  });
}

/** The segments that unload programs: their links go first. */
export function planUnload(ids: readonly number[], inputs: DetachInputs): Segment[] {
  const { state } = inputs.snapshot;
  const links = [...state.links.values()].filter(({ programId }) => ids.includes(programId));
  return [...planDetach(links, inputs), ...planForget(ids, state)];
}
