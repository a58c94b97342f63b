/** Programs that say which frames a packet socket takes (classic BPF), and how they are attached. */
import { check } from "../errno.ts";
import { addressOf, setsockopt } from "../ffi.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Of a program: code, jumps when true and false, operand. */
export type Instruction = readonly [code: number, yes: number, no: number, operand: number];

/** Codes of instructions that are used. */
export const OP = { LOAD: 0x20, LOAD_BYTE: 0x30, AND: 0x54, EQUAL: 0x15, RETURN: 0x06 } as const;
const { LOAD, LOAD_BYTE, AND, EQUAL, RETURN } = OP;
/** Loads from here on are of what the kernel knows of the frame (SKF_AD_OFF), not of its bytes. */
const AD = 0xfffff000;
/** Its Ethernet type. */
export const AD_PROTOCOL = AD;
/** Whom it is for: PACKET_HOST, PACKET_MULTICAST ... */
export const AD_PKTTYPE = AD + 4;
/** The interface it came by. */
export const AD_IFINDEX = AD + 8;
/** Whether it had a VLAN tag. */
export const AD_VLAN_TAG_PRESENT = AD + 48;
/** Loads from here on are from the IP header (SKF_NET_OFF). */
const NET = 0xfff00000;
const PACKET_HOST = 0;
const PACKET_MULTICAST = 2;
/** More than any frame has, aggregates of 64 KiB with their headers included. */
const WHOLE = 0x40000;
/** Most unicast addresses that one program looks for: a jump goes over 255 instructions at most. */
const MOST_ADDRESSES = 40;

/** A program: an array of struct sock_filter. */
export type SocketFilter = Buffer;

/** Drops everything. */
export const NOTHING: SocketFilter = encode([[RETURN, 0, 0, 0]]);

function encode(program: readonly Instruction[]): SocketFilter {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [code, yes, no, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(yes, 8 * index + 2);
    bytes.writeUInt8(no, 8 * index + 3);
    bytes.writeUInt32LE(operand >>> 0, 8 * index + 4);
  }
  return bytes;
}

/** The instructions of a program. */
export const instructionsOf = (program: SocketFilter): Instruction[] =>
  Array.from({ length: program.length / 8 }, (_, index) => {
    const at = 8 * index;
    return [program.readUInt16LE(at), program[at + 2]!, program[at + 3]!, program.readUInt32LE(at + 4)];
  });

/** What a ring takes. */
export interface FrameChoice {
  readonly family: 4 | 6;
  /** Of the interface. */
  readonly ifindex: number;
  /** Frames with a VLAN tag instead of those without. */
  readonly tagged: boolean;
  /** The interface knows no hardware addresses, and so not what was sent to a group: a tunnel. */
  readonly bare?: boolean;
  /** Addresses of this host (4 or 16 bytes) of which packets are taken too; all others to this host are not copied. */
  readonly unicast?: readonly Uint8Array[];
}

/**
 * Frames of IP that were sent to groups, and to the addresses that are named: what a router forwards for others is not
 * copied for nothing. The kernel takes the tag off a frame before any socket for IP sees it, and says where it went by
 * two things only: a frame for no VLAN of this host is not "for us" any more, one for a VLAN that has an interface comes by
 * that. Both are left out here, unless tagged frames are wanted: those are taken while they still have their tag. Of more
 * addresses than a filter has room for, none is looked at: whoever reads the frames has to know them.
 */
export function frameFilter({ family, ifindex, tagged, bare = false, unicast = [] }: FrameChoice): SocketFilter {
  const words = family === 4 ? [16] : [24, 28, 32, 36];
  // Jumps are counted from the end, where all that is dropped goes.
  const listed = unicast.flatMap((address): Instruction[] => {
    const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
    return [
      ...words.flatMap((at, index): Instruction[] => [
        [LOAD, 0, 0, NET + at],
        // Past the rest of this address to the next one.
        [EQUAL, 0, 2 * (words.length - 1 - index) + 1, view.getUint32(4 * index)],
      ]),
      [RETURN, 0, 0, WHOLE],
    ];
  });
  const addresses: readonly Instruction[] = unicast.length > MOST_ADDRESSES ? [[RETURN, 0, 0, WHOLE]] : listed;
  const first: readonly (readonly [load: number, wanted: number])[] = [
    [AD_IFINDEX, ifindex],
    [AD_PROTOCOL, family === 4 ? 0x0800 : 0x86dd],
    [AD_VLAN_TAG_PRESENT, tagged ? 1 : 0],
  ];
  const checks = first.flatMap(([load, wanted]): Instruction[] => [
    [LOAD, 0, 0, load],
    [EQUAL, 1, 0, wanted],
    [RETURN, 0, 0, 0],
  ]);
  const byHardware: readonly Instruction[] = [
    [LOAD, 0, 0, AD_PKTTYPE],
    [EQUAL, 0, 1, PACKET_MULTICAST],
    [RETURN, 0, 0, WHOLE],
    [EQUAL, 1, 0, PACKET_HOST],
    [RETURN, 0, 0, 0],
  ];
  const group: readonly Instruction[] =
    family === 4
      ? [
          [LOAD, 0, 0, NET + 16],
          [AND, 0, 0, 0xf0000000],
          [EQUAL, 0, 1, 0xe0000000],
        ]
      : [
          [LOAD_BYTE, 0, 0, NET + 24],
          [EQUAL, 0, 1, 0xff],
        ];
  const byAddress: readonly Instruction[] = [...group, [RETURN, 0, 0, WHOLE]];
  // Switches and access points send some groups to each host that listens, by its own hardware address.
  return encode([...checks, ...(bare ? [] : byHardware), ...byAddress, ...addresses, [RETURN, 0, 0, 0]]);
}

/** Attaches a program, in place of the one that was. @throws SystemError */
export function attachFilter(fd: number, program: SocketFilter): void {
  // struct sock_fprog: u16 number of instructions, pointer.
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(program.length / 8, 0);
  filter.writeBigUInt64LE(addressOf(program), 8);
  check("SO_ATTACH_FILTER", setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, filter.length));
}
