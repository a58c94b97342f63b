/** Routes (RTM_GETROUTE): by which neighbour a destination is reached. */
import { addressBytes, addressText } from "../../core/prefix.ts";
import { RtnlError } from "./error.ts";
import { encodeOne, FLAG, RTM } from "./message.ts";
import type { Messages } from "./reader.ts";
import type { RtnlSocket } from "./socket.ts";

/** struct rtmsg: u8 family, u8 destination length, u8, u8 tos, u8 table, u8, u8 scope, u8 type, u32 flags. */
const RTMSG_LENGTH = 12;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
const AF_INET = 2;
const AF_INET6 = 10;

/** How a destination is reached. */
export interface RouteRecord {
  /** The interface. */
  readonly ifindex: number;
  /** The router that takes it on; undefined: it is on the link itself. */
  readonly gateway?: string;
}

function decodeRoute(message: Messages): RouteRecord | undefined {
  let ifindex = 0;
  let gateway: string | undefined;
  const a = message.attributes(RTMSG_LENGTH);
  while (a.next()) {
    if (a.type === RTA.OIF) ifindex = a.u32();
    else if (a.type === RTA.GATEWAY) gateway = addressText(a.bytes());
  }
  return { ifindex, ...(gateway !== undefined && { gateway }) };
}

/**
 * The route that packets to a host take when they leave by an interface; undefined when there is none.
 *
 * @throws TypeError for what is no address
 */
export function routeTo(socket: RtnlSocket, destination: string, ifindex: number): RouteRecord | undefined {
  const host = addressBytes(destination);
  const request = encodeOne(RTM.GETROUTE, FLAG.REQUEST, (writer) => {
    writer.fixedU8(host.length === 4 ? AF_INET : AF_INET6);
    writer.fixedU8(8 * host.length);
    writer.fixedZeros(RTMSG_LENGTH - 2);
    writer.bytes(RTA.DST, host);
    writer.u32(RTA.OIF, ifindex);
  });
  try {
    return socket.get(request, decodeRoute);
  } catch (error) {
    // ENETUNREACH and its like: nothing leads there.
    if (error instanceof RtnlError) return undefined;
    throw error;
  }
}
