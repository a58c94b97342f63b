/** Whether an input joins the packets of a stream as they come in (GRO): made to where it is asked for, told of where it may not. */
import { logger } from "../core/log.ts";
import { featuresOn, switchOn } from "../linux/ethtool.ts";
import { knowsAggregates } from "../linux/packet/ring.ts";

/** Of a device, what joins the datagrams of a stream though they are not for this host. */
const JOINING = ["rx-gro", "rx-udp-gro-forwarding"];
/** And all that may join them. */
const ANY_JOINING = ["rx-udp-gro-forwarding", "rx-gro-list"];

const log = logger("relay");

/** What the settings say: whether inputs are made to join packets, or left as they are. */
export type Gro = "keep" | "on";

/** Lets an input join packets, where it does not yet. */
function join(fd: number, device: string): void {
  const { changed, missing } = switchOn(fd, device, JOINING);
  if (changed.length > 0) log.info("{device}: {features} switched on", { device, features: changed.join(", ") });
  if (missing.length > 0)
    log.warn("{device} cannot join packets: it has no {features}", { device, features: missing.join(", ") });
}

/** Says what an input joins that a worker could not take apart again: it is somebody else's to change. */
function warn(fd: number, device: string, gro: Gro): void {
  if (gro === "on") log.warn("{device} is left as it is: gro = on needs Linux 6.2", { device });
  const on = featuresOn(fd, device, ANY_JOINING);
  if (on.length === 0) return;
  const features = on.map((feature) => `${feature} off`).join(" ");
  log.warn("{device} joins packets, which workers drop before Linux 6.2: ethtool -K {device} {features}", {
    device,
    features,
  });
}

/** Does what the settings say, as far as this kernel's workers can take apart what was joined. @param fd any socket of the interface's namespace */
export function setGro(fd: number, device: string, gro: Gro): void {
  if (!knowsAggregates()) warn(fd, device, gro);
  else if (gro === "on") join(fd, device);
}
