/**
 * The sockets of a link, one per IP version. They are made when they are needed, and made anew when the interface under
 * them has gone: later each time while it does not come back.
 */
import { sluiceError } from "../../core/errors.ts";
import { describeErrno, SystemError } from "../../linux/errno.ts";
import { type Arrival, type IcmpOptions, IcmpSocket } from "../../linux/icmp/socket.ts";
import { waiter } from "../../linux/waiter.ts";

/** How the sockets of a link are made. */
export interface LinkSocketOptions extends Omit<IcmpOptions, "family"> {
  /** The link, for messages. */
  readonly name: string;
  /** Called for each packet that comes in. */
  readonly arrived: (family: 4 | 6, arrival: Arrival) => void;
}

/** Times between two attempts to make a socket, s. */
const FIRST_WAIT = 0.25;
const LONGEST_WAIT = 2;
/** A socket by which nothing could be sent for so long is made anew, s: its interface may be another one of the same name. */
const FAILING = 2;
/** What only a new socket can mend; and by one that is bound to an interface, that there is no way. */
const STALE: readonly string[] = ["ENODEV", "ENXIO", "ENETDOWN", "EBADF", "EADDRNOTAVAIL", "EINVAL"];
const NO_WAY = "ENETUNREACH";
const FORBIDDEN: readonly string[] = ["EPERM", "EACCES"];

interface Slot {
  socket?: IcmpSocket;
  watch?: Disposable;
  /** When the next attempt may be made, s. */
  retry: number;
  wait: number;
  /** Nothing could be sent since, s. */
  failing?: number;
  /** The last failure, for people. */
  reason?: string;
}

/** Both of them. */
export class LinkSockets implements Disposable {
  readonly #options: LinkSocketOptions;
  readonly #slots: Readonly<Record<4 | 6, Slot>> = {
    4: { retry: -Infinity, wait: FIRST_WAIT },
    6: { retry: -Infinity, wait: FIRST_WAIT },
  };
  /** Failures by their names: `ENETUNREACH`. */
  readonly errors: Record<string, number> = {};

  constructor(options: LinkSocketOptions) {
    this.#options = options;
  }

  /**
   * Opens the socket of a family, to find out at once whether it may be. What may pass, such as an interface that is not
   * there yet, is tried again at each {@link send}.
   *
   * @param now s @throws SluiceError AUTORATE_PROBE_PERMISSION
   */
  open(family: 4 | 6, now: number): void {
    try {
      this.#make(family);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (FORBIDDEN.includes(error.code)) {
        const params = { name: this.#options.name, reason: error.message };
        throw sluiceError("AUTORATE_PROBE_PERMISSION", params, { cause: error });
      }
      this.#failed(family, error, now);
    }
  }

  /**
   * Sends a request.
   *
   * @param now s
   * @returns undefined when it left, otherwise the name of what went wrong: `ENETUNREACH`
   */
  send(family: 4 | 6, to: Buffer, packet: Buffer, now: number): string | undefined {
    const slot = this.#slots[family];
    if (!slot.socket && now < slot.retry) return "closed";
    try {
      this.#make(family).send(to, packet);
      delete slot.failing;
      delete slot.reason;
      slot.wait = FIRST_WAIT;
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#failed(family, error, now);
      return error.code;
    }
  }

  /** Why nothing can be sent to a family, for people; undefined when the last probe left. */
  reason(family: 4 | 6): string | undefined {
    return this.#slots[family].reason;
  }

  #make(family: 4 | 6): IcmpSocket {
    const slot = this.#slots[family];
    if (slot.socket) return slot.socket;
    const socket = IcmpSocket.open({ ...this.#options, family });
    slot.socket = socket;
    slot.watch = waiter.watch(socket.fd, () => this.#read(family, socket));
    return socket;
  }

  #read(family: 4 | 6, socket: IcmpSocket): void {
    try {
      socket.receive((arrival) => this.#options.arrived(family, arrival));
    } catch (error) {
      // The interface went down, most likely: what is sent next will tell.
      if (!(error instanceof SystemError)) throw error;
      this.errors[error.code] = (this.errors[error.code] ?? 0) + 1;
    }
  }

  #failed(family: 4 | 6, error: SystemError, now: number): void {
    const slot = this.#slots[family];
    this.errors[error.code] = (this.errors[error.code] ?? 0) + 1;
    slot.reason = describeErrno(error.errno);
    slot.failing ??= now;
    const { device } = this.#options;
    const stale = !slot.socket || STALE.includes(error.code) || (device !== undefined && error.code === NO_WAY);
    if (!stale && now - slot.failing < FAILING) return;
    this.#close(family);
    delete slot.failing;
    // Nothing is wrong with the socket but, perhaps, its age: the next probe makes another.
    if (!stale) return;
    slot.retry = now + slot.wait;
    slot.wait = Math.min(2 * slot.wait, LONGEST_WAIT);
  }

  #close(family: 4 | 6): void {
    const slot = this.#slots[family];
    slot.watch?.[Symbol.dispose]();
    slot.socket?.[Symbol.dispose]();
    delete slot.socket;
    delete slot.watch;
  }

  [Symbol.dispose](): void {
    this.#close(4);
    this.#close(6);
  }
}
