/**
 * A fake kernel, as far as the dispatcher goes, with its pins and its store: it does what the real ones would do with the
 * same actions, refuses what they would refuse, and can fail or die at any action. Planners are tested against it.
 */
import { Bindings, type Bound } from "../../core/binding.ts";
import type { Executor, Outcome } from "../../core/executor.ts";
import type { DispatcherAction, NewLink, StoreChange } from "../actions.ts";
import {
  type Attachment,
  type DispatcherKey,
  isMember,
  keyText,
  type ProgramRecord,
  sameKey,
  type State,
} from "../model.ts";
import type { HookView, SeenPin, Snapshot } from "../observed.ts";
import { hookPin, linkPin, mapFolder, programPin, revisionFolder } from "../paths.ts";
import { EMPTY_STATE } from "../state/empty.ts";

/** What stands on a hook. */
interface FakeHook {
  readonly key: DispatcherKey;
  programId: number;
  readonly holder: number;
  readonly via: Attachment["via"];
}

/** The number of the only namespace there is. */
export const FAKE_NSID = 4_026_531_840;

const refuse = (code: string, what: string): never => {
  throw new Error(`${code}: ${what}`);
};

/** Kernel, pins and store in one. */
export class FakeKernel implements Executor<DispatcherAction> {
  readonly batch = 1;
  readonly programs = new Map<number, string>();
  /** Links of their own, by the kernel's id. */
  readonly links = new Map<number, number>();
  /** Pins and what they hold; a revision's folder holds its program. */
  readonly pins = new Map<string, number>();
  readonly hooks = new Map<string, FakeHook>();
  readonly clsact = new Set<number>();
  state: State = EMPTY_STATE;
  bindings = new Bindings();
  /** The number of the action that fails, counted down from here; never when undefined. */
  failIn: number | undefined;
  #next = 1;

  run(actions: readonly DispatcherAction[]): Promise<readonly Outcome[]> {
    return Promise.resolve(actions.slice(0, 1).map((action) => this.#try(action)));
  }

  #try(action: DispatcherAction): Outcome {
    try {
      if (this.failIn !== undefined) {
        this.failIn -= 1;
        if (this.failIn < 0) refuse("EIO", "it was told to fail");
      }
      this.#do(action);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #id(): number {
    this.#next += 1;
    return this.#next;
  }

  #do(action: DispatcherAction): void {
    switch (action.kind) {
      case "object.load": {
        const ids = action.programs.map(({ name, binds }) => {
          const id = this.#id();
          this.programs.set(id, name);
          this.#pin(programPin(id), id);
          this.bindings.set(binds, id);
          return id;
        });
        if (action.mapOwner === undefined) this.#pin(mapFolder(ids[0]!), 0);
        return;
      }
      case "object.unload":
        for (const { binds } of action.programs) this.#unload(this.bindings.find(binds) ?? 0);
        return;
      case "program.remove":
        this.#unload(action.id, action.mapSet);
        return;
      case "clsact.add":
        if (this.clsact.has(action.place.key.ifindex)) refuse("EEXIST", "clsact");
        this.clsact.add(action.place.key.ifindex);
        return;
      case "clsact.remove":
        this.clsact.delete(action.place.key.ifindex);
        return;
      case "revision.build": {
        for (const { programId } of action.members)
          if (!this.pins.has(programPin(this.bindings.resolve(programId)))) refuse("ENOENT", "a member's pin");
        const id = this.#id();
        this.programs.set(id, `sluice_${action.place.key.hook}`);
        this.#pin(revisionFolder(action.place.key, action.revision), id);
        this.bindings.set(action.binds, id);
        return;
      }
      case "revision.remove":
        return this.#removeRevision(revisionFolder(action.place.key, action.revision));
      case "hook.attach":
      case "hook.swap":
      case "hook.detach":
        return this.#hook(action);
      case "link.attach": {
        const programId = this.bindings.resolve(action.programId);
        if (!this.programs.has(programId)) refuse("ENOENT", `program ${programId}`);
        const id = this.#id();
        this.links.set(id, programId);
        this.#pin(linkPin(action.linkId), id);
        this.bindings.set(action.binds, id);
        return;
      }
      case "link.detach":
        return this.#removeLink(linkPin(action.linkId));
      case "pin.remove":
        return this.#removePin(action.path);
      case "store.commit":
        this.state = action.changes.reduce((state, change) => applyChange(state, change, this.bindings), this.state);
        return;
    }
  }

  #pin(path: string, id: number): void {
    if (this.pins.has(path)) refuse("EEXIST", path);
    this.pins.set(path, id);
  }

  #unload(id: number, mapSet = id): void {
    this.pins.delete(programPin(id));
    this.pins.delete(mapFolder(mapSet));
    this.#collect();
  }

  #removeRevision(path: string): void {
    this.pins.delete(path);
    this.#collect();
  }

  #removeLink(path: string): void {
    this.links.delete(this.pins.get(path) ?? 0);
    this.pins.delete(path);
    this.#collect();
  }

  #removePin(path: string): void {
    for (const [text, { key, via }] of this.hooks)
      if (via !== "clsact" && hookPin(key) === path) this.hooks.delete(text);
    this.#removeLink(path);
  }

  #hook(action: Extract<DispatcherAction, { kind: `hook.${string}` }>): void {
    const { key } = action.place;
    const text = keyText(key);
    const there = this.hooks.get(text);
    if (action.kind === "hook.detach") {
      this.hooks.delete(text);
      this.pins.delete(hookPin(key));
      this.#collect();
      return;
    }
    const revision = action.kind === "hook.swap" ? action.to : action.revision;
    const programId = this.pins.get(revisionFolder(key, revision)) ?? refuse("ENOENT", `revision ${revision}`);
    if (action.kind === "hook.swap") {
      if (!there) return refuse("ENOENT", "nothing is attached");
      there.programId = programId;
    } else {
      if (there) refuse("EBUSY", "something is attached");
      const via = action.attachment.via;
      if (via === "clsact" && !this.clsact.has(key.ifindex)) refuse("EINVAL", "no clsact");
      const holder = this.#id();
      this.hooks.set(text, { key, programId, holder, via });
      if (via !== "clsact") this.#pin(hookPin(key), holder);
      this.bindings.set(action.binds, holder);
    }
    this.#collect();
  }

  /** Programs that nothing holds any more are gone. */
  #collect(): void {
    const held = new Set([
      ...this.pins.values(),
      ...this.links.values(),
      ...[...this.hooks.values()].map(({ programId }) => programId),
    ]);
    for (const id of this.programs.keys()) if (!held.has(id)) this.programs.delete(id);
  }

  /** What fetching would give; `keys` are hooks that are asked about. */
  snapshot(keys: readonly DispatcherKey[] = []): Snapshot {
    const wanted = new Map(
      [...keys, ...[...this.state.dispatchers.values(), ...this.hooks.values()].map(({ key }) => key)].map((key) => [
        keyText(key),
        key,
      ]),
    );
    const view = (key: DispatcherKey): HookView => {
      const hook = this.hooks.get(keyText(key));
      const qdisc = key.hook !== "xdp" && this.clsact.has(key.ifindex) ? { qdisc: "clsact" } : {};
      const held = hook && { programId: hook.programId, holder: hook.holder, via: hook.via };
      return { key, place: "present", device: `eth${key.ifindex}`, ...held, ...qdisc };
    };
    return {
      state: this.state,
      programs: new Map(this.programs),
      links: new Set(this.links.keys()),
      pins: [...this.pins].map(([path, id]) => seenPin(path, id)),
      strangePins: [],
      hooks: new Map([...wanted].map(([text, key]) => [text, view(key)])),
      tcx: [],
    };
  }
}

function seenPin(path: string, id: number): SeenPin {
  const key = (hook: string, nsid: string, ifindex: string): DispatcherKey => ({
    hook: hook as DispatcherKey["hook"],
    nsid: Number(nsid),
    ifindex: Number(ifindex),
  });
  const dispatcher = /^([a-z-]+)\/dispatcher_(\d+)_(\d+)_(\d+|link)$/.exec(path);
  if (dispatcher) {
    const [, hook, nsid, ifindex, rest] = dispatcher as unknown as [string, string, string, string, string];
    if (rest === "link") return { kind: "hook", key: key(hook, nsid, ifindex), path, kernelId: id };
    return { kind: "revision", key: key(hook, nsid, ifindex), revision: Number(rest), path, programId: id, slots: [] };
  }
  const number = Number(/\d+$/.exec(path)![0]);
  if (path.startsWith("maps/")) return { kind: "map-set", id: number, path };
  return { kind: path.startsWith("links/") ? "link" : "program", id: number, path, kernelId: id };
}

/** The state after a change, as the store would hold it. */
function applyChange(state: State, change: StoreChange, bindings: Bindings): State {
  const resolve = (value: Bound<number>): number => bindings.resolve(value);
  const programs = new Map(state.programs);
  const links = new Map(state.links);
  const dispatchers = new Map(state.dispatchers);
  let { nextLinkId } = state;
  const putLink = ({ kernelLinkId, programId, ...link }: NewLink): void => {
    const kernel = kernelLinkId === undefined ? {} : { kernelLinkId: resolve(kernelLinkId) };
    links.set(link.id, { ...link, programId: resolve(programId), ...kernel });
    nextLinkId = Math.max(nextLinkId, link.id + 1);
  };
  const dropMembers = (key: DispatcherKey): void => {
    for (const link of links.values()) if (isMember(link) && sameKey(link.details.key, key)) links.delete(link.id);
  };
  switch (change.kind) {
    case "program.put": {
      const { program } = change;
      const record: ProgramRecord = {
        ...program,
        id: resolve(program.id),
        mapSet: resolve(program.mapSet),
        gplCompatible: true,
      };
      programs.set(record.id, record);
      break;
    }
    case "program.delete":
      programs.delete(change.id);
      for (const link of links.values()) if (link.programId === change.id) links.delete(link.id);
      break;
    case "dispatcher.put": {
      const { attachment, key } = change.dispatcher;
      dropMembers(key);
      for (const member of change.members) putLink(member);
      const resolved: Attachment =
        attachment.via === "clsact"
          ? { ...attachment, handle: resolve(attachment.handle) }
          : { ...attachment, linkId: resolve(attachment.linkId) };
      const programId = resolve(change.dispatcher.programId);
      dispatchers.set(keyText(key), { ...change.dispatcher, programId, attachment: resolved });
      break;
    }
    case "dispatcher.delete":
      dropMembers(change.key);
      dispatchers.delete(keyText(change.key));
      break;
    case "link.put":
      putLink(change.link);
      break;
    case "link.delete":
      links.delete(change.id);
      break;
    case "clsact.forget":
      break;
  }
  return { ...state, programs, links, dispatchers, nextLinkId };
}
