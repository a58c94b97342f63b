/** Reads what the relay has to know of the box: links, addresses, and by which neighbours hosts are reached. */
import { type AddressRecord, dumpAddresses } from "../linux/netlink/address.ts";
import { dumpLinks, type LinkRecord } from "../linux/netlink/link.ts";
import { dumpNeighbours } from "../linux/netlink/neighbour.ts";
import { routeTo } from "../linux/netlink/route.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import { knowsAggregates } from "../linux/packet/ring.ts";
import type { Facts, LinkFact } from "./facts.ts";

/** ARPHRD_ETHER. */
const ETHERNET = 1;
const MAC_TEXT = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

function linkFact({ ifindex, name, up, mtu, type, address, kind }: LinkRecord): LinkFact {
  const mac = MAC_TEXT.test(address) ? Buffer.from(address.replaceAll(":", ""), "hex") : undefined;
  const singly = kind === "veth" && !knowsAggregates();
  return { ifindex, name, up, mtu, ethernet: type === ETHERNET, ...(mac && { mac }), ...(singly && { singly }) };
}

/** The address that copies leave by, for each interface: one for all of the network rather than for the link alone. */
function sourceAddresses(records: readonly AddressRecord[]): Map<number, Partial<Record<4 | 6, string>>> {
  const chosen = new Map<number, Partial<Record<4 | 6, string>>>();
  const global = records.filter(({ linkLocal }) => !linkLocal);
  for (const { ifindex, family, address } of [...global, ...records.filter(({ linkLocal }) => linkLocal)]) {
    const own = chosen.get(ifindex) ?? {};
    own[family] ??= address;
    chosen.set(ifindex, own);
  }
  return chosen;
}

/** Reads it. Hosts are looked up when they are asked for, while the socket is open. @throws RtnlError */
export function readFacts(socket: RtnlSocket): Facts {
  const links = new Map(dumpLinks(socket).map((record) => [record.name, linkFact(record)]));
  const neighbours = new Map(
    dumpNeighbours(socket).map(({ ifindex, address, mac }) => [`${ifindex} ${address}`, mac] as const),
  );
  const known = new Map<string, Uint8Array | undefined>();
  return {
    links,
    addresses: sourceAddresses(dumpAddresses(socket)),
    mac: (ifindex, host) => {
      const key = `${ifindex} ${host}`;
      if (known.has(key)) return known.get(key);
      const route = routeTo(socket, host, ifindex);
      const mac = route?.ifindex === ifindex ? neighbours.get(`${ifindex} ${route.gateway ?? host}`) : undefined;
      known.set(key, mac);
      return mac;
    },
  };
}
