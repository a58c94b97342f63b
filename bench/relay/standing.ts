/** Contenders that all run at once, each in a bed of its own: idle ones cost nothing, and turns can be taken between them. */
import { type Offload, RelayBed } from "./bed.ts";
import type { Contender, Running } from "./contender.ts";
import { type Offer, runOnce, type RunResult } from "./run.ts";

/** One that stands by. */
export interface Standing extends AsyncDisposable {
  readonly contender: Contender;
  readonly bed: RelayBed;
  run(offer: Omit<Offer, "outputs">): Promise<RunResult>;
}

/** Starts one. */
export async function stand(contender: Contender, outputs: number, offload: Offload): Promise<Standing> {
  await using owned = new AsyncDisposableStack();
  const bed = owned.use(new RelayBed());
  bed.offload(offload);
  const running: Running = owned.use(await contender.start(bed, outputs));
  const kept = owned.move();
  return {
    contender,
    bed,
    run: (offer) => runOnce(bed, running, { ...offer, outputs }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
