/** A socket in the place of one that could not be opened. */
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { socket } from "../ffi.ts";
import { AF } from "./sockaddr.ts";

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;

/** Opens a UDP socket that is connected to nobody: every datagram is refused (EDESTADDRREQ), and counted as such. @throws SystemError */
export const openRefusing = (family: 4 | 6): Fd =>
  new Fd(check("socket UDP", socket(AF[family], SOCK_DGRAM | SOCK_CLOEXEC, 0)));
