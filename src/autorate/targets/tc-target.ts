/** A CAKE, a TBF or a class of an HTB on an interface, as something with a rate. */
import { type Clock, systemClock } from "../../core/clock.ts";
import { messageOf, type SluiceError, sluiceError } from "../../core/errors.ts";
import { execute } from "../../core/executor.ts";
import type { RateObservation, RateTarget } from "../../core/rate-target.ts";
import { formatHandle } from "../../core/tc/handle.ts";
import { type BitsPerSecond, bitsPerSecond, bytes, humanRate } from "../../core/units.ts";
import { ERRNO, SystemError } from "../../linux/errno.ts";
import { interfaceMtu } from "../../linux/netlink/get.ts";
import type { OwnPorts } from "../../linux/netlink/ports.ts";
import { NetnsSocket } from "../../linux/netlink/netns-socket.ts";
import { TARGET_ACTIONS, tcLine } from "./actions.ts";
import { TargetExecutor } from "./executor.ts";
import { type DeviceSpec, Finder, isSight, type Sight } from "./finder.ts";
import { planRate, refusal } from "./plan.ts";
import { nameOf, rateOf, sameShape, type Shape } from "./shape.ts";

/** Where and how it works. */
export interface TcTargetOptions {
  /** Name or path of the network namespace of the interface; this process's own when left out. */
  readonly netns?: string;
  /** Its socket is put here, so that who watches the kernel is not woken by what it writes. */
  readonly ports?: OwnPorts;
  readonly clock?: Clock;
}

const USUAL_MTU = 1500;
/** What the kernel says when something went away between a look and a write. */
const GONE: ReadonlySet<number> = new Set([ERRNO.ENODEV, ERRNO.ENOENT]);

/** The error that made an apply fail. */
const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause instanceof SystemError ? error.cause : error;

/** The target. Dispose it. */
export class TcTarget implements RateTarget {
  readonly #spec: DeviceSpec;
  readonly #socket: NetnsSocket;
  readonly #finder: Finder;
  #absence: string | undefined;
  /** What was there before it was driven, and what was written last. */
  #memory: { readonly found: Shape; readonly written: Shape } | undefined;

  constructor(spec: DeviceSpec, { netns, ports, clock = systemClock }: TcTargetOptions = {}) {
    this.#spec = spec;
    this.#socket = new NetnsSocket(netns, ports);
    this.#finder = new Finder(spec, clock);
  }

  get label(): string {
    const { kind, device } = this.#spec;
    if (kind === "htb") return `class ${formatHandle(this.#spec.classid)} of ${device}`;
    const shape = kind === "auto" ? this.#finder.last?.shape : undefined;
    if (kind === "auto") return shape ? `${nameOf(shape)} of ${device}` : `what shapes ${device}`;
    return `${kind} on ${device}`;
  }

  get absence(): string | undefined {
    return this.#absence;
  }

  observe(): RateObservation | undefined {
    const sight = this.#look();
    if (typeof sight === "string") return undefined;
    const { shape, stats } = sight;
    return { rate: rateOf(shape), sent: bytes(stats.bytes), backlog: bytes(stats.backlog) };
  }

  show(rate: BitsPerSecond): readonly string[] {
    return this.#plan(this.#see(), rate).actions.map((action) => tcLine(action));
  }

  async set(rate: BitsPerSecond): Promise<BitsPerSecond> {
    const sight = this.#see();
    const plan = this.#plan(sight, rate);
    if (plan.actions.length > 0) {
      const executor = new TargetExecutor(this.#socket.open(), sight.ifindex);
      await execute(plan, TARGET_ACTIONS, executor).catch((error: unknown) => {
        throw this.#failure(rate, causeOf(error));
      });
    }
    const after = plan.actions.length > 0 ? this.#see() : sight;
    if (!sameShape(plan.wish, after.shape)) {
      const shown = rateOf(after.shape);
      const reason = `the kernel took it, and shows ${shown === undefined ? "no limit" : humanRate(shown)}`;
      throw this.#refused(rate, reason);
    }
    this.#memory = { found: this.#foundOf(sight), written: after.shape };
    return rateOf(after.shape)!;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #look(): Sight | string {
    const found = this.#find();
    this.#absence = typeof found === "string" ? found : undefined;
    return found;
  }

  #find(): Sight | string {
    const socket = this.#socket.tryOpen();
    if (typeof socket === "string") return socket;
    const found = this.#finder.look(socket);
    if (isSight(found)) return found;
    if (found.interface) this.#socket.renew();
    return found.reason;
  }

  #see(): Sight {
    const sight = this.#look();
    if (typeof sight === "string") throw this.#missing(sight);
    return sight;
  }

  /** What somebody else changed since is what counts as found. */
  #foundOf({ shape }: Sight): Shape {
    return this.#memory && sameShape(this.#memory.written, shape) ? this.#memory.found : shape;
  }

  #plan(sight: Sight, rate: BitsPerSecond): ReturnType<typeof planRate> {
    const reason = refusal(sight.shape, rate);
    if (reason !== undefined) throw this.#refused(rate, reason);
    const { device: dev } = this.#spec;
    const mtu = interfaceMtu(this.#socket.open(), dev) ?? USUAL_MTU;
    return planRate({ dev, mtu, now: sight.shape, found: this.#foundOf(sight) }, rate);
  }

  #failure(rate: BitsPerSecond, error: unknown): SluiceError {
    const gone = error instanceof SystemError && GONE.has(error.errno);
    return gone ? this.#missing(messageOf(error), error) : this.#refused(rate, messageOf(error), error);
  }

  #missing(reason: string, cause?: unknown): SluiceError {
    return sluiceError("AUTORATE_TARGET_MISSING", { target: this.label, reason }, { cause });
  }

  #refused(rate: BitsPerSecond, reason: string, cause?: unknown): SluiceError {
    const shown = Number.isFinite(rate) ? humanRate(bitsPerSecond(rate)) : String(rate);
    return sluiceError("AUTORATE_TARGET_REFUSED", { target: this.label, rate: shown, reason }, { cause });
  }
}
