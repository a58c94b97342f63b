/** Interfaces to build trees on: veths in a namespace of their own, made anew for every run. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "../../src/core/executor.ts";
import { BatchSender } from "../../src/linux/netlink/batch.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { Sysfs } from "../../src/linux/sysfs.ts";
import { SHAPER_ACTIONS, type ShaperAction, tcLine } from "../../src/shaper/actions.ts";
import { Classifier } from "../../src/shaper/classifier.ts";
import { NetlinkExecutor } from "../../src/shaper/executors/netlink.ts";
import { elapsed } from "../sample.ts";
import { egressAt } from "../../test/helpers/egress.ts";

/** Writes actions as a file for `tc -batch`. */
export function writeBatch(path: string, actions: readonly ShaperAction[]): string {
  writeFileSync(path, actions.map((action) => `${tcLine(action)!}\n`).join(""));
  return path;
}

/** Runs a program to its end, its output thrown away. Milliseconds, its start included. @throws Error when it fails */
export function runProgram(ns: Netns, program: string, args: readonly string[]): number {
  const begin = performance.now();
  const { status } = ns.run(() => spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"] }));
  const took = performance.now() - begin;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
  return took;
}

/** Carries actions out as an apply does, from the plan in hand to its end, with a sender that nobody warmed. Milliseconds. */
export async function applyActions(
  socket: RtnlSocket,
  device: { readonly name: string; readonly ifindex: number },
  actions: readonly ShaperAction[],
): Promise<number> {
  await using sender = new BatchSender(socket);
  using egress = egressAt(pathsBelow("/nowhere"), "/proc/self/ns/net");
  using classifier = new Classifier({ pins: "/nowhere", socket, egress });
  using sysfs = Sysfs.open();
  const executor = new NetlinkExecutor(sender, classifier, sysfs, new Map([[device.name, device.ifindex]]));
  return await elapsed(() => execute({ actions, warnings: [] }, SHAPER_ACTIONS, executor));
}

/** A namespace in which devices come and go, and a folder for batch files. */
export class Yard implements Disposable {
  readonly ns = Netns.create();
  readonly socket = RtnlSocket.open(this.ns);
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));

  /** Runs `ip`. */
  ip(command: string): void {
    this.ns.run(() => execFileSync("ip", command.split(" ")));
  }

  /** Writes actions as a file for `tc -batch`. */
  batchFile(actions: readonly ShaperAction[]): string {
    return writeBatch(join(this.#folder, "batch"), actions);
  }

  /** Builds a tree by netlink on a fresh device and removes it again. Milliseconds for the building. */
  async build(queues: number, actions: readonly ShaperAction[]): Promise<number> {
    using device = new Device(this, queues);
    return await applyActions(this.socket, device, actions);
  }

  /** The same by `tc -batch`. */
  buildByTc(queues: number, file: string): number {
    using _device = new Device(this, queues);
    return runProgram(this.ns, "tc", ["-batch", file]);
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
    this.ns[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The name of every device here, and of the side of a link that is measured. */
export const DEVICE = "lan0";

/** A fresh device; gone with its tree, at once, when it is disposed. */
export class Device implements Disposable {
  readonly name = DEVICE;
  readonly ifindex: number;
  readonly #yard: Yard;

  constructor(yard: Yard, queues: number) {
    const q = `numtxqueues ${queues} numrxqueues ${queues}`;
    yard.ip(`link add ${DEVICE} ${q} type veth peer name peer0 ${q}`);
    yard.ip(`link set ${DEVICE} up`);
    this.ifindex = dumpLinks(yard.socket).find(({ name }) => name === DEVICE)!.ifindex;
    this.#yard = yard;
  }

  [Symbol.dispose](): void {
    this.#yard.ip(`link del ${DEVICE}`);
  }
}
