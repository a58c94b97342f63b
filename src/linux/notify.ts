/** Telling systemd how a service is (sd_notify(3)): datagrams to the socket that it names. */
import { SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { errno, sendmsg, socket } from "./ffi.ts";
import { MessageHeader } from "./rights.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;

/** What can be told, `{ READY: "1", STATUS: "..." }`. */
export type Notice = Readonly<Record<string, string>>;

/** struct sockaddr_un: a path, or with `@` first a name that is in no file system. */
function addressOf(path: string): Buffer {
  const name = Buffer.from(path.replace(/^@/, "\0"));
  const address = Buffer.alloc(2 + name.length + (path.startsWith("@") ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

/** A monotonic time as systemd compares it, in microseconds. */
export const monotonicMicroseconds = (): string => String(process.hrtime.bigint() / 1000n);

/** Tells the service manager, when there is one. */
export class Notifier implements Disposable {
  readonly #header = new MessageHeader();
  readonly #address: Buffer | undefined;
  readonly #fd: Fd | undefined;
  /** Milliseconds after which systemd gives a silent service up; undefined when it does not watch. */
  readonly watchdog: number | undefined;

  /** `environment` has NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID where systemd wants to hear. */
  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const path = environment["NOTIFY_SOCKET"];
    const usec = Number(environment["WATCHDOG_USEC"]);
    const pid = environment["WATCHDOG_PID"];
    const mine = pid === undefined || Number(pid) === process.pid;
    this.watchdog = Number.isFinite(usec) && usec > 0 && mine ? usec / 1000 : undefined;
    if (!path) return;
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SystemError("socket AF_UNIX", errno());
    this.#fd = new Fd(fd);
    this.#address = addressOf(path);
  }

  /** Sends a notice; false when nobody takes it, which is no reason to stop. @param fds go along, and stay the caller's */
  tell(notice: Notice, fds: readonly Fd[] = []): boolean {
    if (!this.#fd || !this.#address) return false;
    const text = Object.entries(notice).map(([key, value]) => `${key}=${value.replaceAll("\n", " ")}\n`);
    const bytes = Buffer.from(text.join(""));
    const numbers = fds.map((fd) => fd.number);
    const header = this.#header.outgoing(bytes, numbers, this.#address);
    return sendmsg(this.#fd.number, header, MSG_NOSIGNAL | MSG_DONTWAIT) === bytes.length;
  }

  [Symbol.dispose](): void {
    this.#fd?.[Symbol.dispose]();
  }
}
