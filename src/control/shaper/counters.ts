/** What nodes and circuits have sent, read again and again: the tree is planned once, then only counters are read. */
import type { Output } from "../../api/routes.ts";
import type { Direction } from "../../shaper/model.ts";
import { type ClassCounters, readCounters } from "../../shaper/counters.ts";
import { sidesOf } from "../../shaper/desired.ts";
import { dumpLinks } from "../../linux/netlink/dump.ts";
import { Shaper } from "../../shaper/shaper.ts";
import { buildView, circuitsIn, type NodeView, type SideView } from "../../shaper/view.ts";
import type { Inputs } from "../files.ts";
import { type Place, shaperPlace } from "../place.ts";
import { planTree } from "./plan.ts";

type Sample = Output<"shaper.counters">;
type Both = Readonly<Record<Direction, SideView>>;

const countersOf = (sides: Both): { download: ClassCounters | null; upload: ClassCounters | null } => ({
  download: sides.download.counters ?? null,
  upload: sides.upload.counters ?? null,
});

const flat = (nodes: readonly NodeView[]): NodeView[] => nodes.flatMap((node) => [node, ...flat(node.children)]);

/** Reads counters of one tree, as it is when this is made. Dispose it. */
export class CounterReader implements Disposable {
  readonly #place: Place;
  readonly #shaper: Shaper;
  readonly #view: (counters: ReturnType<typeof readCounters>) => ReturnType<typeof buildView>;

  /** @throws SluiceError as a plan does */
  constructor(place: Place, inputs: Inputs) {
    this.#place = place;
    using owned = new DisposableStack();
    const shaper = owned.use(Shaper.open(shaperPlace(place), inputs.config.link));
    const { built, facts } = planTree(shaper, inputs, { regardless: true });
    const { sides } = sidesOf(inputs.config, facts);
    const { tree, allocation } = built;
    this.#view = (counters) => buildView({ tree, allocation, sides, counters });
    this.#shaper = shaper;
    owned.move();
  }

  /** Whether the interfaces are still those that the tree was planned for. */
  get current(): boolean {
    const known = new Set(dumpLinks(this.#shaper.socket).map(({ ifindex, name }) => `${ifindex} ${name}`));
    return this.#shaper.devices.every(({ ifindex, name }) => known.has(`${ifindex} ${name}`));
  }

  /** Reads them. `ids` names the circuits that are wanted beside the nodes. */
  sample(ids: ReadonlySet<string> = new Set()): Sample {
    const view = this.#view(readCounters(this.#shaper.socket, this.#shaper.devices));
    return {
      schema: "sluice/shaper-counters/1",
      time: new Date(this.#place.clock.now()).toISOString(),
      nodes: flat(view.nodes).map(({ name, sides }) => ({ name, ...countersOf(sides) })),
      circuits:
        ids.size === 0
          ? []
          : circuitsIn(view)
              .filter(({ circuit }) => ids.has(circuit.id))
              .map(({ circuit, sides }) => ({ id: circuit.id, ...countersOf(sides) })),
    };
  }

  [Symbol.dispose](): void {
    this.#shaper[Symbol.dispose]();
  }
}
