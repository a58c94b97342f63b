/** One thing at a time: a qdisc, a class, an interface by its name. For who looks many times a second, a dump is too much. */
import type { Handle } from "../../core/tc/handle.ts";
import { ERRNO, SystemError } from "../errno.ts";
import { errno, ioctl } from "../ffi.ts";
import { RtnlError } from "./error.ts";
import { encodeOne, FLAG, RTM } from "./message.ts";
import type { Messages } from "./reader.ts";
import type { RtnlSocket } from "./socket.ts";
import { type ClassRecord, decodeClass } from "./tc/class.ts";
import { decodeQdisc, type QdiscRecord } from "./tc/qdisc.ts";
import { writeTcmsg } from "./tc/tcmsg.ts";

/** What the kernel says when there is no such thing: neither the interface, nor the qdisc, nor classes on it. */
const ABSENT: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENODEV, ERRNO.EINVAL]);

function getOne<T>(
  socket: RtnlSocket,
  type: number,
  where: readonly [ifindex: number, handle: number, parent: number],
  decode: (message: Messages) => T | undefined,
): T | undefined {
  try {
    return socket.get(
      encodeOne(type, FLAG.REQUEST, (writer) => writeTcmsg(writer, ...where)),
      decode,
    );
  } catch (error) {
    if (error instanceof RtnlError && ABSENT.has(error.errno)) return undefined;
    throw error;
  }
}

/**
 * The qdisc with a handle; undefined when there is none. Where it hangs is not told: the answer has the parent that the
 * request had.
 *
 * @throws RtnlError
 */
export const getQdisc = (socket: RtnlSocket, ifindex: number, handle: Handle): QdiscRecord | undefined =>
  getOne(socket, RTM.GETQDISC, [ifindex, handle, 0], decodeQdisc);

/** The qdisc in a place (TC_ROOT or a class); undefined when there is none, or only the kernel's own. @throws RtnlError */
export const getQdiscAt = (socket: RtnlSocket, ifindex: number, parent: Handle): QdiscRecord | undefined =>
  getOne(socket, RTM.GETQDISC, [ifindex, 0, parent], decodeQdisc);

/** An HTB class; undefined when there is none. @throws RtnlError */
export const getClass = (socket: RtnlSocket, ifindex: number, classid: Handle): ClassRecord | undefined =>
  getOne(socket, RTM.GETTCLASS, [ifindex, classid, 0], decodeClass);

const SIOCGIFMTU = 0x8921;
const SIOCGIFINDEX = 0x8933;
/** struct ifreq: 16 bytes of name, its ending zero included, then a union. */
const IFREQ_LENGTH = 40;
const NAME_LENGTH = 16;

function interfaceNumber(socket: RtnlSocket, name: string, request: number): number | undefined {
  if (Buffer.byteLength(name) >= NAME_LENGTH) return undefined;
  const ifreq = Buffer.alloc(IFREQ_LENGTH);
  ifreq.write(name);
  if (ioctl(socket.fd, request, ifreq) === 0) return ifreq.readInt32LE(NAME_LENGTH);
  const number = errno();
  if (number === ERRNO.ENODEV) return undefined;
  throw new SystemError(`ioctl ${name}`, number);
}

/** The index of an interface of the socket's namespace, without a lock of the kernel's; undefined when there is none. */
export const interfaceIndex = (socket: RtnlSocket, name: string): number | undefined =>
  interfaceNumber(socket, name, SIOCGIFINDEX);

/** Its MTU in bytes. */
export const interfaceMtu = (socket: RtnlSocket, name: string): number | undefined =>
  interfaceNumber(socket, name, SIOCGIFMTU);
