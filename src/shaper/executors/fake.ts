/** Does the shaper's actions on a fake kernel; for tests, and for showing what a plan leads to. */
import type { Executor, Outcome } from "../../core/executor.ts";
import { FakeDevice } from "../../linux/fake/os.ts";
import type { ShaperAction } from "../actions.ts";
import type { ClassifierConfig, HostEntry, Observed, Steering } from "../model.ts";

/** A fake machine: devices, their classifiers and the host table. */
export class FakeMachine implements Executor<ShaperAction> {
  readonly batch = 64;
  readonly devices = new Map<string, FakeDevice>();
  readonly steering = new Map<string, Map<number, Steering>>();
  readonly classifiers = new Map<string, ClassifierConfig>();
  hosts: Map<string, HostEntry> | undefined;

  constructor(devices: Readonly<Record<string, number>>) {
    for (const [name, txQueues] of Object.entries(devices)) {
      this.devices.set(name, new FakeDevice(name, txQueues));
      this.steering.set(name, new Map());
    }
  }

  run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    return Promise.resolve(
      actions.map((action): Outcome => {
        try {
          this.#do(action);
          return undefined;
        } catch (error) {
          return error as Error;
        }
      }),
    );
  }

  /** What fetch would see. */
  observe(): Observed {
    const devices = [...this.devices.values()].map((device, index) => {
      const classifier = this.classifiers.get(device.name);
      const { name, qdiscs, classes } = device;
      const steering = new Map([...this.steering.get(name)!].filter(([, { cpus, rxqs }]) => cpus + rxqs !== "00"));
      return [
        name,
        { name, ifindex: index + 1, qdiscs, classes, steering, ...(classifier && { classifier }) },
      ] as const;
    });
    return { devices: new Map(devices), ...(this.hosts && { hosts: new Map(this.hosts) }) };
  }

  #do(action: ShaperAction): void {
    switch (action.kind) {
      case "qdisc.add":
        return this.#device(action.dev).addQdisc(action.at);
      case "qdisc.change":
        return this.#device(action.dev).changeQdisc(action.at);
      case "qdisc.delete":
        return this.#device(action.dev).deleteQdisc(action.at);
      case "class.add":
        return this.#device(action.dev).addClass(action.at);
      case "class.change":
        return this.#device(action.dev).changeClass(action.at);
      case "class.delete":
        return this.#device(action.dev).deleteClass(action.at);
      case "steering.set":
        this.steering.get(action.dev)!.set(action.queue, action.masks);
        return undefined;
      case "classifier.attach":
        this.classifiers.set(action.dev, action.config);
        return undefined;
      case "classifier.detach":
        this.classifiers.delete(action.dev);
        return undefined;
      case "hosts.set":
        for (const entry of action.entries) (this.hosts ??= new Map()).set(entry.prefix.key, entry);
        return undefined;
      case "hosts.delete":
        for (const entry of action.entries) this.hosts?.delete(entry.prefix.key);
        return undefined;
      case "hosts.swap":
        this.hosts = new Map(action.entries.map((entry) => [entry.prefix.key, entry]));
        return undefined;
    }
  }

  #device(name: string): FakeDevice {
    const device = this.devices.get(name);
    if (!device) throw new Error(`ENODEV: no device ${name}`);
    return device;
  }
}
