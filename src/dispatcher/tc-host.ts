/** Offers other domains a place on the TC dispatchers: their program is a member among the user's. */
import { ref } from "../core/binding.ts";
import type { Device, TcHost, TcProgram, TcSide, TcState } from "../core/tc-place.ts";
import { type ChangeInputs, Dispatcher, type DispatcherPlace } from "./dispatcher.ts";
import { type DispatcherKey, isMember, keyText, type MemberLink, sameKey, type State } from "./model.ts";
import { digestOf, readObject } from "./object.ts";
import { planDetach, planForget } from "./plan/detach.ts";
import { planLoad, programBinding } from "./plan/load.ts";
import { planRebuild } from "./plan/rebuild.ts";

/** Between users' programs of lower and of higher priority. */
const PRIORITY = 50;
/** TC_ACT_UNSPEC, TC_ACT_PIPE and an empty slot: what runs after it still runs. */
const PROCEED_ON = [-1, 3, 30];

/** On which side it is, where, and for whom. */
export interface TcPlace extends DispatcherPlace {
  readonly side: TcSide;
  /** Whose programs these are, `sluice-shaper`. */
  readonly owner: string;
  /** Name or path of the network namespace; this process's own when left out. */
  readonly netns?: string;
}

class DispatcherHost implements TcHost {
  readonly #owner: string;
  readonly #side: TcSide;
  readonly #netns: string | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #nsid: number;

  constructor(place: TcPlace) {
    this.#owner = place.owner;
    this.#side = place.side;
    this.#netns = place.netns;
    using owned = new DisposableStack();
    this.#dispatcher = owned.use(new Dispatcher(place));
    this.#nsid = this.#dispatcher.namespaces.open(place.netns).nsid;
    owned.move();
  }

  stateOf(device: Device): TcState | undefined {
    const key = this.#keyOf(device);
    const link = this.#linkOn(this.#dispatcher.state(), key);
    if (!link) return undefined;
    const { state, hooks, programs } = this.#dispatcher.snapshot({ hooks: [this.#hookOf(device)] });
    const runs = hooks.get(keyText(key))?.programId === state.dispatchers.get(keyText(key))?.programId;
    return runs && programs.has(link.programId) ? { programId: link.programId } : {};
  }

  async put(device: Device, program: TcProgram): Promise<number> {
    const { image, label, name, globals, reuse } = program;
    const facts = readObject(label, image);
    const key = this.#keyOf(device);
    const make = (inputs: ChangeInputs) => {
      const { state, hooks } = inputs.snapshot;
      const before = this.#linkOn(state, key);
      const source = { kind: "builtin", name: label } as const;
      const request = { label, source, programs: [{ type: "tc" as const, name }], globals, metadata: {}, reuse };
      const load = planLoad({ ...request, owner: this.#owner }, facts, state, inputs.now);
      const member = {
        linkId: before?.id ?? state.nextLinkId,
        programId: ref(programBinding(0)),
        name,
        frags: false,
        tailCalls: false,
        priority: PRIORITY,
        proceedOn: PROCEED_ON,
        metadata: {},
      };
      const rebuild = planRebuild(
        { ...this.#hookOf(device), add: [member], remove: new Set(before ? [before.id] : []) },
        { ...inputs, state, hook: hooks.get(keyText(key))! },
      );
      return [load, rebuild, ...planForget([...(before ? [before.programId] : []), ...this.#strays(state)], state)];
    };
    const images = new Map([[digestOf(image), image]]);
    const { bindings } = await this.#dispatcher.changeLocked(make, { hooks: [this.#hookOf(device)], images });
    return bindings.resolve(ref(programBinding(0)));
  }

  async remove(device: Device): Promise<void> {
    const key = this.#keyOf(device);
    if (!this.#linkOn(this.#dispatcher.state(), key)) return;
    const make = (inputs: ChangeInputs) => {
      const { state } = inputs.snapshot;
      const link = this.#linkOn(state, key);
      if (!link) return [];
      const detach = planDetach([link], { ...inputs, reclaimClsact: true });
      return [...detach, ...planForget([link.programId, ...this.#strays(state)], state)];
    };
    await this.#dispatcher.changeLocked(make, { hooks: [this.#hookOf(device)] });
  }

  [Symbol.dispose](): void {
    this.#dispatcher[Symbol.dispose]();
  }

  #keyOf({ ifindex }: Device): DispatcherKey {
    return { hook: `tc-${this.#side}`, nsid: this.#nsid, ifindex };
  }

  #hookOf(device: Device): { key: DispatcherKey; device: string; netns?: string } {
    const netns = this.#netns;
    return { key: this.#keyOf(device), device: device.name, ...(netns !== undefined && { netns }) };
  }

  /** The owner's programs whose interfaces are gone. */
  #strays(state: State): number[] {
    const linked = new Set([...state.links.values()].map(({ programId }) => programId));
    return [...state.programs.values()]
      .filter(({ id, owner }) => owner === this.#owner && !linked.has(id))
      .map(({ id }) => id);
  }

  #linkOn(state: State, key: DispatcherKey): MemberLink | undefined {
    return [...state.links.values()]
      .filter((link): link is MemberLink => isMember(link) && sameKey(link.details.key, key))
      .find(({ programId }) => state.programs.get(programId)?.owner === this.#owner);
  }
}

/** Opens it. Dispose it. @throws SluiceError NETNS_MISSING */
export const openTcHost = (place: TcPlace): TcHost => new DispatcherHost(place);
