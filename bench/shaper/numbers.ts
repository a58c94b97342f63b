/** What it is worth that the HTBs have a hash bucket to themselves (src/shaper/numbers.ts). */
import type { Row, Section } from "../report.ts";
import { sample } from "../sample.ts";
import { applyActions, Device, Yard } from "./device.ts";
import { classChanges, countedFromOne, type TcAction, treeActions } from "./trees.ts";

const CIRCUITS = 10_000;
const QUEUES = 16;
const CHANGES = 100;
const ROUNDS = 7;

/** Milliseconds of one round on one device. */
interface Round {
  readonly build: number;
  readonly changes: readonly number[];
}

async function measure(yard: Yard, tree: readonly TcAction[]): Promise<Round> {
  using device = new Device(yard, QUEUES);
  const build = await applyActions(yard.socket, device, tree);
  const actions = classChanges(tree, CHANGES);
  const changes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) changes.push(await applyActions(yard.socket, device, actions));
  return { build, changes };
}

/** Our numbers against HTBs that are counted from 1, all by our netlink. */
export async function benchNumbers(quick: boolean): Promise<Section> {
  using yard = new Yard();
  const ours = treeActions(CIRCUITS, QUEUES);
  const usual = countedFromOne(ours, QUEUES);
  const rounds: { readonly ours: Round; readonly usual: Round }[] = [];
  for (let run = 0; run < (quick ? 1 : 5); run += 1) {
    rounds.push({ ours: await measure(yard, ours), usual: await measure(yard, usual) });
  }
  const row = (what: string, pick: (round: Round) => readonly number[]): Row => ({
    what,
    ours: sample(rounds.flatMap((round) => pick(round.ours))),
    peer: { name: "HTBs 1:, 2:, ... 10:", sample: sample(rounds.flatMap((round) => pick(round.usual))) },
  });
  return {
    title: "Handles of the HTBs: a hash bucket to themselves, or counted from 1",
    rows: [
      row("100 class changes among 10,000 circuits, 16 HTBs", ({ changes }) => changes),
      row("build 10,000 circuits, 16 HTBs", ({ build }) => [build]),
    ],
  };
}
