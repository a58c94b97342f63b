/** Does the kernel plane's actions. */
import { type Executor, type Outcome } from "../../core/executor.ts";
import type { TcHost } from "../../core/tc-place.ts";
import type { KernelAction } from "./actions.ts";
import { bucketsOf } from "./codec.ts";
import type { KernelMaps } from "./maps.ts";
import { relayProgram } from "./program.ts";

/** Both were full long ago. */
const FULL = [0n, 0n] as const;

/** Slots whose buckets are those of other rates, or of another rule, so far. */
function refilled({ rows, before }: KernelAction & { readonly kind: "rows.set" }): number[] {
  const rates = new Map(before.flatMap(({ value }) => bucketsOf(value) ?? []).map((each) => [each.slot, each.rates]));
  return rows
    .flatMap(({ value }) => bucketsOf(value) ?? [])
    .filter((each) => rates.get(each.slot) !== each.rates)
    .map(({ slot }) => slot);
}

/** Executes on open maps; whoever changes programs holds the lock. */
export class KernelExecutor implements Executor<KernelAction> {
  readonly batch = 1;
  readonly #pins: string;
  readonly #maps: KernelMaps;
  readonly #host: TcHost;

  /** @param pins the folder that the maps are pinned in */
  constructor(pins: string, maps: KernelMaps, host: TcHost) {
    this.#pins = pins;
    this.#maps = maps;
    this.#host = host;
  }

  async run(actions: readonly KernelAction[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const action of actions) {
      try {
        await this.#do(action);
        outcomes.push(undefined);
      } catch (error) {
        return [...outcomes, error as Error];
      }
    }
    return outcomes;
  }

  async #do(action: KernelAction): Promise<void> {
    const { buckets, inputs, rules } = this.#maps;
    switch (action.kind) {
      case "program.attach":
        await this.#host.put(action.device, relayProgram(this.#pins));
        break;
      case "program.detach":
        await this.#host.remove(action.device);
        break;
      case "input.set":
        inputs.set(action.ifindex, action.kinds);
        break;
      case "input.delete":
        inputs.delete(action.ifindex);
        break;
      case "rows.set":
        buckets.setAll(refilled(action).map((slot) => [slot, FULL]));
        rules.setAll(action.rows.map(({ key, value }) => [key, value]));
        break;
      case "rows.delete":
        rules.deleteAll(action.rows.map(({ key }) => key));
        break;
    }
  }
}
