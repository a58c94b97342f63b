/** Sockets of this process whose doings are known already, so that nobody has to look at them. */
import type { RtnlSocket } from "./socket.ts";

/**
 * Ports of rtnetlink sockets in one network namespace. The kernel tells of each change with the port of the socket that
 * asked for it; a monitor leaves out those that are here.
 */
export class OwnPorts {
  readonly #ports = new Set<number>();

  /** Adds a socket's port, until the result is disposed. @throws SystemError */
  add({ port }: RtnlSocket): Disposable {
    this.#ports.add(port);
    return { [Symbol.dispose]: () => void this.#ports.delete(port) };
  }

  /** Whether it is the port of such a socket. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }
}
