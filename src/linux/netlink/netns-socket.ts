/** An rtnetlink socket in a namespace that may go and come again: opened when it is needed, and anew when asked. */
import { SluiceError } from "../../core/errors.ts";
import { openNetns } from "../netns.ts";
import type { OwnPorts } from "./ports.ts";
import { RtnlSocket } from "./socket.ts";

/** Dispose it. */
export class NetnsSocket implements Disposable {
  readonly #netns: string | undefined;
  readonly #ports: OwnPorts | undefined;
  #opened: { readonly socket: RtnlSocket; readonly owned: DisposableStack } | undefined;

  /**
   * @param netns name or path; this process's own when left out
   * @param ports where the socket's port is kept while it is open
   */
  constructor(netns?: string, ports?: OwnPorts) {
    this.#netns = netns;
    this.#ports = ports;
  }

  /** The socket. @throws SluiceError NETNS_MISSING; SystemError */
  open(): RtnlSocket {
    if (this.#opened) return this.#opened.socket;
    using ns = this.#netns === undefined ? undefined : openNetns(this.#netns);
    using owned = new DisposableStack();
    const socket = owned.use(RtnlSocket.open(ns));
    if (this.#ports) owned.use(this.#ports.add(socket));
    this.#opened = { socket, owned: owned.move() };
    return socket;
  }

  /** The socket, or half a sentence that says that the namespace is not there. @throws SystemError */
  tryOpen(): RtnlSocket | string {
    try {
      return this.open();
    } catch (error) {
      if (error instanceof SluiceError && error.code === "NETNS_MISSING") return error.problems[0]!.message;
      throw error;
    }
  }

  /** What is looked for is not there: a namespace of the same name may be another one by now, and is opened next time. */
  renew(): void {
    if (this.#netns !== undefined) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#opened?.owned.dispose();
    this.#opened = undefined;
  }
}
