/** The network namespaces that a run works in: found once, held until it ends. */
import { Netns, findNetns, openNetns } from "../linux/netns.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";

/** A namespace with a netlink socket in it. */
export interface Space {
  readonly ns: Netns;
  readonly socket: RtnlSocket;
}

/** Namespaces by their number. Dispose to let go of them. */
export class Namespaces implements Disposable {
  readonly #owned = new DisposableStack();
  readonly #found = new Map<number, Space>();

  /** The one that the user named, or this process's own. @throws SluiceError NETNS_MISSING */
  open(name?: string): { readonly nsid: number; readonly space: Space } {
    using ns = name === undefined ? Netns.current() : openNetns(name);
    const nsid = ns.id;
    const space = this.find(nsid, name ?? ns.path);
    if (!space) throw new TypeError(`Namespace ${nsid} went away while it was opened`);
    return { nsid, space };
  }

  /** The namespace of a number, which was last reached by a path; undefined when it is gone. */
  find(nsid: number, path?: string): Space | undefined {
    const known = this.#found.get(nsid);
    if (known) return known;
    // One that is not found may be by another path.
    const ns = findNetns(nsid, path);
    if (!ns) return undefined;
    const space = { ns: this.#owned.use(ns), socket: this.#owned.use(RtnlSocket.open(ns)) };
    this.#found.set(nsid, space);
    return space;
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
