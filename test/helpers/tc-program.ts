/** Tiny programs for the traffic control hook, made of instructions, and how to put them on a device. */
import { TC_EGRESS } from "../../src/core/tc/handle.ts";
import { loadProgram, PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import type { Fd } from "../../src/linux/fd.ts";
import { MessageWriter } from "../../src/linux/netlink/message.ts";
import type { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeFilter } from "../../src/linux/netlink/tc/filter.ts";

const TC_ACT_SHOT = 2;
const TC_ACT_UNSPEC = -1;

function instruction(code: number, register: number, offset: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(register, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate, 4);
  return bytes;
}

/** Loads instructions for the traffic control hook; the exit is added. */
function program(instructions: readonly Buffer[]): Fd {
  const code = Buffer.concat([...instructions, instruction(0x95, 0, 0, 0)]);
  return loadProgram({ type: PROGRAM_TYPE.SCHED_CLS, name: "test", code, license: "GPL" });
}

/** A program that drops every packet. */
export const dropper = (): Fd => program([instruction(0xb7, 0, 0, TC_ACT_SHOT)]);

/** A program that gives each packet a VLAN tag beside the frame and passes it on. */
export const vlanPusher = (id: number): Fd =>
  program([
    instruction(0xb7, 2, 0, 0x0081), // r2 = htons(ETH_P_8021Q)
    instruction(0xb7, 3, 0, id), // r3 = tag
    instruction(0x85, 0, 0, 18), // call bpf_skb_vlan_push(r1 = packet, r2, r3)
    instruction(0xb7, 0, 0, TC_ACT_UNSPEC), // r0
  ]);

/** Puts a program on one side of a device, egress unless told otherwise, in the place of one that is there. */
export function putFilter(
  socket: RtnlSocket,
  ifindex: number,
  program: Fd,
  priority: number,
  name = "test",
  parent = TC_EGRESS,
): void {
  const writer = new MessageWriter();
  const filter = { parent, priority, handle: 1, fd: program.number, name, directAction: true };
  encodeFilter(writer, "replace", ifindex, filter);
  socket.request(writer.finish());
}
