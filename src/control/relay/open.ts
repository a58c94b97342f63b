/** The relay on this machine: its place among programs, its tables, and the namespace that it works in. */
import { openTcHost } from "../../dispatcher/tc-host.ts";
import type { FdStore } from "../../linux/fd-store.ts";
import { RtnlSocket } from "../../linux/netlink/socket.ts";
import { openNetns } from "../../linux/netns.ts";
import { KernelPlane } from "../../relay/kernel/plane.ts";
import { Relay } from "../../relay/relay.ts";
import type { RelaySettings } from "../../relay/settings.ts";
import { SLOTS } from "../../relay/slots.ts";
import type { Place } from "../place.ts";
import { pinsOf } from "./pins.ts";

/** The owner of the relay's programs on the dispatcher. */
const OWNER = "sluice-relay";

/** The kernel plane with what it works by. */
interface OpenKernel extends Disposable {
  readonly kernel: KernelPlane;
}

function openKernel(place: Place): OpenKernel {
  const { paths, clock, netns } = place;
  using owned = new DisposableStack();
  const ns = netns === undefined ? undefined : owned.use(openNetns(netns));
  const socket = owned.use(RtnlSocket.open(ns));
  const where = { paths, clock, owner: OWNER, ...(netns !== undefined && { netns }) };
  const host = owned.use(openTcHost({ side: "ingress", ...where }));
  const kernel = owned.use(new KernelPlane({ pins: pinsOf(place), lock: paths.lock, socket, host, slots: SLOTS }));
  const kept = owned.move();
  return { kernel, [Symbol.dispose]: () => kept.dispose() };
}

/** An open relay; what the kernel carries goes on when it is disposed of. */
export interface OpenRelay extends AsyncDisposable {
  readonly relay: Relay;
}

/**
 * Opens it. Nothing is carried before it has rules.
 *
 * @param fds keeps memberships from one process to the next
 * @param changed something changed that a look at the box may mend
 * @throws SluiceError NETNS_MISSING, STORE, SystemError
 */
export function openRelay(place: Place, settings: RelaySettings, fds: FdStore, changed: () => void): OpenRelay {
  using owned = new DisposableStack();
  const { kernel } = owned.use(openKernel(place));
  const ns = place.netns === undefined ? undefined : owned.use(openNetns(place.netns));
  const relay = new Relay({ clock: place.clock, settings, kernel, fds, changed, ...(ns && { ns }) });
  const kept = owned.move();
  return {
    relay,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      kept.dispose();
    },
  };
}

/** Takes away what the kernel carries for a relay that is no more: programs, tables, counters. @throws SluiceError */
export async function removeRelay(place: Place): Promise<void> {
  using opened = openKernel(place);
  await opened.kernel.remove();
}
