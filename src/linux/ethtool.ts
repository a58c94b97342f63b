/**
 * What drivers are asked and told by SIOCETHTOOL (linux/ethtool.h). A socket's ioctl is about the socket's namespace, where
 * /sys/class/net is about that in which it was mounted.
 */
import { addressOf, ioctl } from "./ffi.ts";

const SIOCETHTOOL = 0x8946;
/** struct ifreq: 16 bytes of name, then a pointer. */
const IFREQ_LENGTH = 40;
const IFREQ_DATA = 16;
const ETHTOOL_GSTRINGS = 0x1b;
const ETHTOOL_GSSET_INFO = 0x37;
const ETHTOOL_GFEATURES = 0x3a;
const ETHTOOL_SFEATURES = 0x3b;
const ETH_SS_FEATURES = 4;
/** ETH_GSTRING_LEN. */
const NAME_LENGTH = 32;
/** Bytes before the names, and before the blocks of features. */
const NAMES_AT = 12;
const BLOCKS_AT = 8;
/** struct ethtool_get_features_block: available, requested, active, never changed; struct ethtool_set_features_block: valid, requested. */
const GET_BLOCK = 16;
const SET_BLOCK = 8;

/**
 * One request.
 *
 * @param fd any socket of the interface's namespace
 * @param data begins with the command; read and written
 * @returns whether the driver knows it, and did it
 */
export function ethtool(fd: number, device: string, data: NodeJS.ArrayBufferView): boolean {
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(device);
  request.writeBigUInt64LE(addressOf(data), IFREQ_DATA);
  return ioctl(fd, SIOCETHTOOL, request) >= 0;
}

/** The names of features, by their bits. */
function featureNames(fd: number, device: string): string[] {
  // struct ethtool_sset_info: command, nothing, u64 mask of sets, then the size of each.
  const info = Buffer.alloc(20);
  info.writeUInt32LE(ETHTOOL_GSSET_INFO, 0);
  info.writeBigUInt64LE(1n << BigInt(ETH_SS_FEATURES), 8);
  if (!ethtool(fd, device, info)) return [];
  const count = info.readUInt32LE(16);
  const names = Buffer.alloc(NAMES_AT + count * NAME_LENGTH);
  names.writeUInt32LE(ETHTOOL_GSTRINGS, 0);
  names.writeUInt32LE(ETH_SS_FEATURES, 4);
  names.writeUInt32LE(count, 8);
  if (!ethtool(fd, device, names)) return [];
  return Array.from({ length: count }, (_, bit) => {
    const at = NAMES_AT + bit * NAME_LENGTH;
    return names.toString("latin1", at, at + NAME_LENGTH).replace(/\0.*$/s, "");
  });
}

/** The features of a device: their names, and which of them are on. */
class Features {
  readonly #names: readonly string[];
  readonly #states: Buffer;

  constructor(fd: number, device: string) {
    this.#names = featureNames(fd, device);
    this.#states = Buffer.alloc(BLOCKS_AT + this.blocks * GET_BLOCK);
    this.#states.writeUInt32LE(ETHTOOL_GFEATURES, 0);
    this.#states.writeUInt32LE(this.blocks, 4);
    ethtool(fd, device, this.#states);
  }

  /** How many blocks of 32 they are. */
  get blocks(): number {
    return Math.ceil(this.#names.length / 32);
  }

  /** The number of one; -1 when the driver has it not. */
  bit(name: string): number {
    return this.#names.indexOf(name);
  }

  isOn(name: string): boolean {
    const bit = this.bit(name);
    if (bit < 0) return false;
    return ((this.#states.readUInt32LE(BLOCKS_AT + (bit >>> 5) * GET_BLOCK + 8) >>> (bit & 31)) & 1) === 1;
  }
}

/** Which of these features of a device are on. @param fd any socket of the interface's namespace */
export function featuresOn(fd: number, device: string, features: readonly string[]): string[] {
  const state = new Features(fd, device);
  return features.filter((name) => state.isOn(name));
}

/** What became of features that were to be on. */
export interface SwitchedOn {
  /** Were off. */
  readonly changed: readonly string[];
  /** Are off still: the driver has them not, or lets nobody change them. */
  readonly missing: readonly string[];
}

/** Switches features of a device on, by the names that `ethtool -k` shows as the driver's (`rx-gro`). @param fd any socket of the interface's namespace */
export function switchOn(fd: number, device: string, features: readonly string[]): SwitchedOn {
  const before = new Features(fd, device);
  const off = features.filter((name) => !before.isOn(name));
  const wanted = Buffer.alloc(BLOCKS_AT + before.blocks * SET_BLOCK);
  wanted.writeUInt32LE(ETHTOOL_SFEATURES, 0);
  wanted.writeUInt32LE(before.blocks, 4);
  for (const name of off) {
    const bit = before.bit(name);
    if (bit < 0) continue;
    const at = BLOCKS_AT + (bit >>> 5) * SET_BLOCK;
    for (const word of [at, at + 4]) wanted.writeUInt32LE((wanted.readUInt32LE(word) | (1 << (bit & 31))) >>> 0, word);
  }
  if (off.length > 0) ethtool(fd, device, wanted);
  const after = new Features(fd, device);
  return { changed: off.filter((name) => after.isOn(name)), missing: off.filter((name) => !after.isOn(name)) };
}
