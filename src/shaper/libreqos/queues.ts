/** Transmit queues of interfaces, counted where LibreQoS counts them. */
import { type Problem, problem, SluiceError } from "../../core/errors.ts";
import { dumpLinks } from "../../linux/netlink/dump.ts";
import { RtnlSocket } from "../../linux/netlink/socket.ts";
import { Netns } from "../../linux/netns.ts";

/** The counts, in the order of the names. @throws SluiceError INTERFACE_MISSING for each that is not there */
export function linkQueues(names: readonly string[], netns?: string): number[] {
  using ns = netns === undefined ? undefined : Netns.open(netns);
  using socket = RtnlSocket.open(ns);
  const links = new Map(dumpLinks(socket).map((link) => [link.name, link.txQueues]));
  const problems = names.flatMap((device): Problem[] =>
    links.has(device) ? [] : [problem("INTERFACE_MISSING", { device, field: "lan or internet" })],
  );
  if (problems.length > 0) throw new SluiceError(problems);
  return names.map((name) => links.get(name)!);
}
