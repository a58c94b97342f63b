/**
 * What this kernel can do, found out by trying. Each feature knows since which kernel and under which option it exists,
 * so that a test that is skipped because of it can tell "too old" from "broken".
 */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { gunzipSync } from "node:zlib";
import { handle, TC_CLSACT, TC_ROOT } from "../core/tc/handle.ts";
import type { Qdisc } from "../core/tc/qdisc.ts";
import { queryTcx } from "./bpf/tcx.ts";
import { ERRNO, SystemError } from "./errno.ts";
import { ifNameToIndex } from "./ffi.ts";
import { MessageWriter } from "./netlink/message.ts";
import { RtnlSocket } from "./netlink/socket.ts";
import { encodeQdisc } from "./netlink/tc/qdisc.ts";
import { Netns } from "./netns.ts";

/** What a probe found. `unknown` says nothing about the kernel: this process may not ask. */
export type Probe =
  | { readonly state: "present" }
  | { readonly state: "absent"; readonly reason: string }
  | { readonly state: "unknown"; readonly error: SystemError };

/** Something that a kernel may lack. */
export interface Feature {
  /** `qdisc cake` */
  readonly name: string;
  /** First release that has it, `4.19`. */
  readonly minKernel: string;
  /** The option it is built under, `CONFIG_NET_SCH_CAKE`. */
  readonly config: string;
  /** Tries it; what was found for certain is remembered. */
  probe(): Probe;
}

/** A qdisc kind that sluice can make. */
export type QdiscKind = Qdisc["kind"];

const KINDS: Readonly<Record<QdiscKind, readonly [minKernel: string, config: string]>> = {
  mq: ["2.6.27", "CONFIG_NET_SCHED"],
  htb: ["2.4.20", "CONFIG_NET_SCH_HTB"],
  pfifo: ["2.2", "CONFIG_NET_SCHED"],
  bfifo: ["2.2", "CONFIG_NET_SCHED"],
  tbf: ["2.2", "CONFIG_NET_SCH_TBF"],
  fq_codel: ["3.5", "CONFIG_NET_SCH_FQ_CODEL"],
  cake: ["4.19", "CONFIG_NET_SCH_CAKE"],
  ingress: ["2.6", "CONFIG_NET_SCH_INGRESS"],
  clsact: ["4.5", "CONFIG_NET_SCH_INGRESS"],
};

/** The simplest qdisc of each kind. */
const SIMPLEST: Readonly<Record<QdiscKind, Qdisc>> = {
  mq: { kind: "mq" },
  htb: { kind: "htb", default: 0 },
  pfifo: { kind: "pfifo", limit: 1 },
  bfifo: { kind: "bfifo", limit: 1 },
  tbf: { kind: "tbf", rate: 8e6, burst: 2000, limit: 2000 } as Qdisc,
  fq_codel: { kind: "fq_codel" },
  cake: { kind: "cake" },
  ingress: { kind: "ingress" },
  clsact: { kind: "clsact" },
};

/** Errors that tell of this process and the machine's state, not of the kernel's abilities. */
const INCONCLUSIVE: ReadonlySet<number> = new Set([
  ERRNO.EPERM,
  ERRNO.EACCES,
  ERRNO.ENOMEM,
  ERRNO.ENOBUFS,
  ERRNO.ENOSPC,
  ERRNO.EMFILE,
  ERRNO.ENFILE,
]);

/** Adds the qdisc to the loopback of a namespace that is gone afterwards. */
function tryQdisc(kind: QdiscKind): Probe {
  try {
    using ns = Netns.create();
    using socket = RtnlSocket.open(ns);
    const hooks = kind === "clsact" || kind === "ingress";
    const writer = new MessageWriter(256);
    encodeQdisc(
      writer,
      "add",
      ns.run(() => ifNameToIndex("lo")),
      {
        handle: handle(hooks ? 0xffff : 1),
        parent: hooks ? TC_CLSACT : TC_ROOT,
        qdisc: SIMPLEST[kind],
      },
    );
    const [error] = socket.send(writer.finish());
    if (error === undefined) return { state: "present" };
    if (INCONCLUSIVE.has(error.errno)) return { state: "unknown", error };
    // ENOENT: no such kind, also after the kernel tried to load its module. Any other refusal comes from the qdisc itself,
    // as mq's, which wants a device with more than one queue.
    return error.errno === ERRNO.ENOENT ? { state: "absent", reason: error.message } : { state: "present" };
  } catch (error) {
    if (error instanceof SystemError) return { state: "unknown", error };
    throw error;
  }
}

const conclusive = new Map<QdiscKind, Probe>();

/** Whether the kernel has this kind of qdisc, as a feature. Probing may make the kernel load the module. */
export function qdiscFeature(kind: QdiscKind): Feature {
  const [minKernel, config] = KINDS[kind];
  const probe = (): Probe => {
    const known = conclusive.get(kind);
    if (known) return known;
    const found = tryQdisc(kind);
    if (found.state !== "unknown") conclusive.set(kind, found);
    return found;
  };
  return { name: `qdisc ${kind}`, minKernel, config, probe };
}

/** Whether the kernel has this kind of qdisc. @throws SystemError when this process may not find out */
export function probeQdisc(kind: QdiscKind): boolean {
  const probe = qdiscFeature(kind).probe();
  if (probe.state === "unknown") throw probe.error;
  return probe.state === "present";
}

/** The running kernel's release as numbers, `[6, 1, 0]` for `6.1.0-56-amd64`. */
export function kernelRelease(text = release()): [major: number, minor: number, patch: number] {
  const [major = 0, minor = 0, patch = 0] = text.split(/[^0-9]/, 3).map(Number);
  return [major, minor, patch];
}

/** Whether the running kernel is of this release (`4.19`) or later. */
export function kernelAtLeast(wanted: string, running = kernelRelease()): boolean {
  const want = kernelRelease(wanted);
  const differs = want.findIndex((number, i) => number !== running[i]);
  return differs < 0 || running[differs]! > want[differs]!;
}

/** Whether the running kernel was built with an option, as a module or not; undefined when it does not tell. */
export function kernelConfig(option: string): boolean | undefined {
  for (const read of [
    () => gunzipSync(readFileSync("/proc/config.gz")).toString(),
    () => readFileSync(`/boot/config-${release()}`, "utf8"),
  ]) {
    try {
      return new RegExp(`^${option}=[ym]$`, "m").test(read());
    } catch {
      // Not every distribution has both.
    }
  }
  return undefined;
}

/** Whether the kernel has TCX, as a feature. */
export const tcxFeature: Feature = {
  name: "TCX",
  minKernel: "6.6",
  config: "CONFIG_NET_XGRESS",
  probe: () => probeTcx(),
};

/** Asks for the chain of the loopback: a kernel without TCX knows no such question. */
function probeTcx(): Probe {
  try {
    using ns = Netns.create();
    ns.run(() => queryTcx(ifNameToIndex("lo"), "ingress"));
    return { state: "present" };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (INCONCLUSIVE.has(error.errno)) return { state: "unknown", error };
    return { state: "absent", reason: error.message };
  }
}
