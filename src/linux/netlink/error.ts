/** What the kernel answers to a request that it refuses. */
import { describeErrno, errnoName, SystemError } from "../errno.ts";
import { HEADER_LENGTH, RTM } from "./message.ts";
import type { Messages } from "./reader.ts";

const NAMES = new Map<number, string>(Object.entries(RTM).map(([name, type]) => [type, `RTM_${name}`]));
/** struct nlmsgerr: s32 -errno and the header of the request. */
const ERROR_FIXED = 4 + HEADER_LENGTH;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** A refused rtnetlink request; `extack` is the kernel's own text, which some refusals lack. */
export class RtnlError extends SystemError {
  override readonly name: string = "RtnlError";
  readonly extack?: string;

  constructor(type: number, errno: number, extack?: string) {
    const detail = extack === undefined ? describeErrno(errno) : `${extack} (${errnoName(errno)})`;
    super(NAMES.get(type) ?? `rtnetlink message ${type}`, errno, detail);
    if (extack !== undefined) this.extack = extack;
  }
}

/** A refusal as plain data, which can cross to another thread. */
export interface Refusal {
  /** Type of the refused request. */
  readonly type: number;
  /** Positive error number. */
  readonly errno: number;
  readonly extack?: string;
}

/** Reads the NLMSG_ERROR that the cursor is at; undefined when it is an acknowledgement. */
export function readRefusal(message: Messages): Refusal | undefined {
  const errno = -message.i32(0);
  if (errno === 0) return undefined;
  const type = message.u16(8);
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { type, errno };
  // With NETLINK_CAP_ACK only the request's header is sent back, so the attributes follow it.
  const attributes = message.attributes(ERROR_FIXED);
  while (attributes.next()) {
    if (attributes.type === NLMSGERR_ATTR_MSG) return { type, errno, extack: attributes.string() };
  }
  return { type, errno };
}

/** The refusal as an error. */
export const refused = (refusal: Refusal): RtnlError => new RtnlError(refusal.type, refusal.errno, refusal.extack);
