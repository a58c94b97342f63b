/**
 * How many transmit queues an interface uses. rtnetlink does not say: IFLA_NUM_TX_QUEUES is what was allocated (two for a
 * plain veth on two processors, of which one is used), and so is the number of classes that mq lists. A tree below an
 * unused queue would never see a packet.
 *
 * The driver is asked instead (ethtool_channels, linux/ethtool.h).
 */
import { ethtool } from "../ethtool.ts";

const ETHTOOL_GCHANNELS = 0x3c;
/** Fields of struct ethtool_channels, nine u32: command, four maxima, then what is in use. */
const TX_COUNT = 6;
const COMBINED_COUNT = 8;

/**
 * @param fd any socket of the interface's namespace
 * @param allocated what counts when the driver has no say in it, because it then uses all
 */
export function usedTxQueues(fd: number, name: string, allocated: number): number {
  if (allocated <= 1) return allocated;
  const channels = new Uint32Array(9);
  channels[0] = ETHTOOL_GCHANNELS;
  if (!ethtool(fd, name, channels)) return allocated;
  const used = channels[TX_COUNT]! + channels[COMBINED_COUNT]!;
  return used === 0 ? allocated : Math.min(used, allocated);
}
