/** Does the shaper's actions in the kernel: tc objects over rtnetlink in batches, the classifier over bpf(2). */
import { type Executor, type Outcome } from "../../core/executor.ts";
import type { BatchSender } from "../../linux/netlink/batch.ts";
import { type EncodedBatch, MessageWriter } from "../../linux/netlink/message.ts";
import { encodeClass } from "../../linux/netlink/tc/class.ts";
import { encodeQdisc } from "../../linux/netlink/tc/qdisc.ts";
import type { Sysfs } from "../../linux/sysfs.ts";
import { writeXps } from "../../linux/xps.ts";
import type { ShaperAction } from "../actions.ts";
import type { Classifier } from "../classifier.ts";

/** Actions handed over at once: some hundreds of milliseconds of kernel time on the largest trees. */
const BATCH = 1024;

/** What is done by messages about qdiscs and classes. */
export type TcAction = Extract<ShaperAction, { kind: `qdisc.${string}` | `class.${string}` }>;
type ClassifierAction = Exclude<ShaperAction, TcAction>;

/** Whether it is one of them. */
export const isTc = (action: ShaperAction): action is TcAction =>
  action.kind.startsWith("qdisc.") || action.kind.startsWith("class.");

/** The messages that do these actions. @param ifindex by device name */
export function encodeTc(actions: readonly TcAction[], ifindex: ReadonlyMap<string, number>): EncodedBatch {
  const writer = new MessageWriter();
  for (const action of actions) {
    const index = ifindex.get(action.dev)!;
    switch (action.kind) {
      case "qdisc.add":
        encodeQdisc(writer, "add", index, action.at);
        break;
      case "qdisc.change":
        encodeQdisc(writer, "change", index, action.at);
        break;
      case "qdisc.delete":
        encodeQdisc(writer, "del", index, action.at);
        break;
      case "class.add":
        encodeClass(writer, "add", index, action.at);
        break;
      case "class.change":
        encodeClass(writer, "change", index, action.at);
        break;
      case "class.delete":
        encodeClass(writer, "del", index, action.at);
        break;
    }
  }
  return writer.finish();
}

/** Executes in one network namespace, on devices whose indexes were looked up when the plan was made. */
export class NetlinkExecutor implements Executor<ShaperAction> {
  readonly batch = BATCH;
  readonly #sender: BatchSender;
  readonly #classifier: Classifier;
  readonly #sysfs: Sysfs;
  readonly #ifindex: ReadonlyMap<string, number>;

  constructor(sender: BatchSender, classifier: Classifier, sysfs: Sysfs, ifindex: ReadonlyMap<string, number>) {
    this.#sender = sender;
    this.#classifier = classifier;
    this.#sysfs = sysfs;
    this.#ifindex = ifindex;
  }

  /** Runs of tc actions become one batch; the classifier's are done one by one between them. */
  async run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    while (outcomes.length < actions.length && !outcomes.some(Boolean)) {
      const rest = actions.slice(outcomes.length);
      const other = rest.findIndex((action) => !isTc(action));
      const run = rest.slice(0, other < 0 ? rest.length : other) as TcAction[];
      if (run.length > 0) outcomes.push(...(await this.#sender.send(encodeTc(run, this.#ifindex))));
      else outcomes.push(await this.#classify(rest[0] as ClassifierAction));
    }
    return outcomes;
  }

  async #classify(action: ClassifierAction): Promise<Outcome> {
    try {
      await this.#do(action);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #do(action: ClassifierAction): void | Promise<void> {
    switch (action.kind) {
      case "steering.set":
        return writeXps(this.#sysfs, action.dev, action.queue, action.masks);
      case "classifier.attach":
        return this.#classifier.attach(this.#device(action.dev), action.config);
      case "classifier.detach":
        return this.#classifier.detach(this.#device(action.dev));
      case "hosts.set":
        return this.#classifier.setHosts(action.entries);
      case "hosts.delete":
        return this.#classifier.deleteHosts(action.entries);
      case "hosts.swap":
        return this.#classifier.swapHosts(action.entries);
    }
  }

  #device(name: string): { readonly name: string; readonly ifindex: number } {
    return { name, ifindex: this.#ifindex.get(name)! };
  }
}
