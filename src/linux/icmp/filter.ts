/** What the kernel hands to a socket of ours and what not: filters by type and by identifier. Pure. */

/** struct icmp_filter: blocks every type but echo reply (0) and timestamp reply (14). */
export const ICMP_REPLIES = Uint32Array.of(~((1 << 0) | (1 << 14)) >>> 0);

/** struct icmp6_filter: blocks every type but echo reply (129). */
export const ICMP6_REPLIES = Uint32Array.from({ length: 8 }, (_, word) =>
  word === 129 >>> 5 ? ~(1 << (129 & 31)) >>> 0 : 0xffffffff,
);

/** Classic BPF: code, true, false, operand. */
type Instruction = readonly [code: number, yes: number, no: number, operand: number];

const LDX_IP_HEADER_LENGTH = 0xb1;
const LD_HALF_FROM_X = 0x48;
const LD_HALF = 0x28;
const JUMP_IF_EQUAL = 0x15;
const SHIFT_RIGHT = 0x74;
const RETURN = 0x06;

/**
 * A program that drops answers to the other sockets of this process: identifiers with the same upper half that are not
 * `id`. Without it every answer would wake every link. Answers to other programs come through, to be counted.
 *
 * @returns an array of struct sock_filter, for SO_ATTACH_FILTER on a raw socket
 */
export function identifierFilter(family: 4 | 6, id: number): Buffer {
  const load: readonly Instruction[] =
    family === 4
      ? [
          [LDX_IP_HEADER_LENGTH, 0, 0, 0],
          [LD_HALF_FROM_X, 0, 0, 4],
        ]
      : [[LD_HALF, 0, 0, 4]];
  const program: readonly Instruction[] = [
    ...load,
    [JUMP_IF_EQUAL, 2, 0, id],
    [SHIFT_RIGHT, 0, 0, 8],
    [JUMP_IF_EQUAL, 1, 0, id >>> 8],
    [RETURN, 0, 0, 0xffff],
    [RETURN, 0, 0, 0],
  ];
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [code, yes, no, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(yes, 8 * index + 2);
    bytes.writeUInt8(no, 8 * index + 3);
    bytes.writeUInt32LE(operand, 8 * index + 4);
  }
  return bytes;
}
