/** A user's own program beside the shaper's classifier: a packet counter on the same hook. */
import { join } from "node:path";
import { possibleCpus } from "../src/linux/bpf/cpus.ts";
import { mapInfo, openMapById, openProgramById, programInfo } from "../src/linux/bpf/info.ts";
import { BpfMap, perCpu } from "../src/linux/bpf/map.ts";
import { type Layout, U32 } from "../src/core/layout.ts";
import { sluice } from "./sluice.ts";

const OBJECT = join(import.meta.dirname, "../examples/bpf/packet-counter.bpf.o");
const FAMILIES = ["IPv4", "IPv6", "ARP", "other"];

/** Packets and bytes, 64 bits each. */
const COUNT: Layout<number> = {
  size: 16,
  write: (buffer, offset, value) => void buffer.writeBigUInt64LE(BigInt(value), offset),
  read: (buffer, offset) => Number(buffer.readBigUInt64LE(offset)),
};

/** The counter, loaded and attached by the command line. */
export class PacketCounter {
  readonly #id: number;

  /** Puts it before the classifier on the way to the subscribers. */
  constructor(device: string, netns: string) {
    sluice(["program", "load", "file", OBJECT, "--programs", "tc:count_packets"], { quiet: true });
    this.#id = Number(sluice(["program", "list", "--quiet"], { quiet: true }).trim().split("\n").at(-1));
    const place = ["--netns", netns];
    sluice(["link", "attach", "tc", String(this.#id), device, "egress", "--priority", "10", ...place], { quiet: true });
    sluice(["dispatcher", "get", "tc-egress", device, ...place], { quiet: true });
  }

  /** What it counted so far: packets by family. */
  counts(): string {
    using program = openProgramById(this.#id);
    const { mapIds } = programInfo(program!.number);
    const fd = mapIds
      .flatMap((id) => openMapById(id) ?? [])
      .find((map) => mapInfo(map.number).name === "packet_counts");
    using map = new BpfMap(fd!, U32, perCpu(COUNT, possibleCpus()));
    const packets = FAMILIES.map((family, row) => {
      const sum = (map.get(row) ?? []).reduce((total, count) => total + count, 0);
      return `${sum.toLocaleString("en")} ${family}`;
    });
    return packets.join(", ");
  }

  /** Detaches and unloads it. */
  remove(): void {
    sluice(["program", "unload", String(this.#id)], { quiet: true });
  }
}
