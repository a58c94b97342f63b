/** Stands in for systemd: hears what a service says on its socket, and keeps the descriptors that it is given. */
import { rmSync } from "node:fs";
import { check, ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, errno, recvmsg, socket } from "../../src/linux/ffi.ts";
import { MessageHeader } from "../../src/linux/rights.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** The manager. */
export class ServiceManager implements Disposable {
  readonly path: string;
  readonly #fd: Fd;
  readonly #header = new MessageHeader();
  readonly #buffer = Buffer.alloc(65_536);
  readonly #kept = new Map<string, Fd>();

  /** @param path where it listens */
  constructor(path: string) {
    this.path = path;
    this.#fd = new Fd(check("socket", socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(`${path}\0`)]);
    check(`bind ${path}`, bind(this.#fd.number, address, address.length));
  }

  /** The descriptors that it keeps by now, by name. */
  get kept(): ReadonlyMap<string, number> {
    while (this.#hear());
    return new Map([...this.#kept].map(([name, fd]) => [name, fd.number]));
  }

  #hear(): boolean {
    const header = this.#header.incoming(this.#buffer);
    const length = recvmsg(this.#fd.number, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) {
      if (errno() === ERRNO.EAGAIN) return false;
      throw new SystemError("recvmsg", errno());
    }
    const { fds } = this.#header.take();
    const lines = this.#buffer.toString("utf8", 0, length).trim().split("\n");
    const said = new Map(lines.map((line) => line.split("=", 2) as [string, string]));
    const name = said.get("FDNAME") ?? "";
    if (said.has("FDSTORE")) for (const fd of fds) this.#kept.set(name, fd);
    if (said.has("FDSTOREREMOVE")) this.#close(name);
    return true;
  }

  #close(name: string): void {
    this.#kept.get(name)?.[Symbol.dispose]();
    this.#kept.delete(name);
  }

  /** The service is stopped for good. */
  forget(): void {
    for (const name of this.kept.keys()) this.#close(name);
  }

  [Symbol.dispose](): void {
    this.forget();
    this.#fd[Symbol.dispose]();
    rmSync(this.path, { force: true });
  }
}
