/** Filling the classifier's table aside and putting it in the place of the one in use. */
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Classifier } from "../../src/shaper/classifier.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { TestBpffs } from "../../test/helpers/bpffs.ts";
import { egressAt } from "../../test/helpers/egress.ts";
import type { Section } from "../report.ts";
import { alternate, elapsed } from "../sample.ts";
import { allActions } from "./trees.ts";

const HOSTS = 20_000;

/** Measures a table of 20,000 hosts, one address each. */
export async function benchHosts(): Promise<Section> {
  using bpffs = new TestBpffs();
  using socket = RtnlSocket.open();
  using egress = egressAt({ ...pathsBelow("/nowhere"), pins: bpffs.path }, "/proc/self/ns/net");
  using classifier = new Classifier({ pins: `${bpffs.path}/shaper`, socket, egress });
  const entries = allActions(HOSTS, 16).flatMap((action) => (action.kind === "hosts.swap" ? action.entries : []));
  const { swap, read } = await alternate(5, {
    swap: () => elapsed(() => classifier.swapHosts(entries)),
    read: () => elapsed(() => classifier.hosts()),
  });
  return {
    title: `The classifier's table, ${HOSTS.toLocaleString("en")} hosts`,
    rows: [
      { what: "fill a new table and swap it in", ours: swap },
      { what: "read it back", ours: read },
    ],
  };
}
