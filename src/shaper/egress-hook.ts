/** Where the classifier sits on a device: clsact's egress side, at a priority of its own. */
import { messageOf, sluiceError } from "../core/errors.ts";
import { type Handle, handle, TC_CLSACT, TC_EGRESS, TC_INGRESS } from "../core/tc/handle.ts";
import { dumpFilters } from "../linux/netlink/dump.ts";
import { type EncodedBatch, encodeOne, FLAG, MessageWriter, RTM } from "../linux/netlink/message.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import { encodeFilter, encodeFilterDelete } from "../linux/netlink/tc/filter.ts";
import { encodeQdisc } from "../linux/netlink/tc/qdisc.ts";
import { TCA, writeTcmsg } from "../linux/netlink/tc/tcmsg.ts";
import { CLASSIFIER_PRIORITY } from "./numbers.ts";

/** The name of the program and of its filter: as long as the kernel takes. */
export const CLASSIFIER_NAME = "sluice_classify";

const PLACE = { parent: TC_EGRESS, priority: CLASSIFIER_PRIORITY, handle: 1 } as const;
const CLSACT_HANDLE = handle(0xffff);
const CLSACT = { handle: CLSACT_HANDLE, parent: TC_CLSACT, qdisc: { kind: "clsact" } } as const;

/** An interface, by number for the kernel and by name for people. */
export interface Device {
  readonly ifindex: number;
  readonly name: string;
}

/** What stands at the classifier's place. */
export interface HookState {
  /** The kernel's number of our program. */
  readonly programId?: number;
  /** The name of a filter that is not ours. */
  readonly foreign?: string;
}

/** One device's hook. Methods throw SluiceError KERNEL_REFUSED. */
export class EgressHook {
  readonly #socket: RtnlSocket;
  readonly #device: Device;

  constructor(socket: RtnlSocket, device: Device) {
    this.#socket = socket;
    this.#device = device;
  }

  /** Reads what stands there. */
  read(): HookState {
    let state: HookState = {};
    for (const filter of this.#filters(TC_EGRESS)) {
      if (filter.priority !== CLASSIFIER_PRIORITY) continue;
      const ours = filter.handle === PLACE.handle && filter.program?.name === CLASSIFIER_NAME;
      if (!ours) return { foreign: filter.program?.name || filter.kind };
      state = { programId: filter.program.id };
    }
    return state;
  }

  /** Puts our program there, in the place of ours that is there: packets meet the one or the other, never none. */
  put(program: number, replace: boolean): void {
    const filter = { ...PLACE, fd: program, name: CLASSIFIER_NAME, directAction: true };
    const batch = encode((writer) => encodeFilter(writer, replace ? "replace" : "add", this.#device.ifindex, filter));
    this.#request("attach the classifier to", batch);
  }

  /** Takes our program away. */
  remove(): void {
    this.#request(
      "detach the classifier from",
      encode((writer) => encodeFilterDelete(writer, this.#device.ifindex, PLACE)),
    );
  }

  /** Whether the device has a clsact qdisc. Asks for this one alone: a dump would list all leaves of the tree as well. */
  hasClsact(): boolean {
    const [error] = this.#socket.send(
      encodeOne(RTM.GETQDISC, FLAG.REQUEST, (writer) => {
        writeTcmsg(writer, this.#device.ifindex, CLSACT_HANDLE, TC_CLSACT);
        writer.string(TCA.KIND, "clsact");
      }),
    );
    return error === undefined;
  }

  /** Makes the clsact qdisc. */
  addClsact(): void {
    this.#request(
      "add clsact to",
      encode((writer) => encodeQdisc(writer, "add", this.#device.ifindex, CLSACT)),
    );
  }

  /** Removes the clsact qdisc when no filter is left on either side of it. */
  removeClsactIfEmpty(): void {
    if (this.#filters(TC_EGRESS).length > 0 || this.#filters(TC_INGRESS).length > 0) return;
    this.#request(
      "remove clsact from",
      encode((writer) => encodeQdisc(writer, "del", this.#device.ifindex, CLSACT)),
    );
  }

  #filters(parent: Handle): ReturnType<typeof dumpFilters> {
    return dumpFilters(this.#socket, this.#device.ifindex, parent);
  }

  #request(action: string, batch: EncodedBatch): void {
    try {
      this.#socket.request(batch);
    } catch (error) {
      const params = { action: `to ${action} ${this.#device.name}`, reason: messageOf(error) };
      throw sluiceError("KERNEL_REFUSED", params, { cause: error });
    }
  }
}

function encode(write: (writer: MessageWriter) => void): EncodedBatch {
  const writer = new MessageWriter(256);
  write(writer);
  return writer.finish();
}
