/** Options of fq_codel as attributes (TCA_FQ_CODEL_*, linux/pkt_sched.h). */
import { type FqCodel, fromCodelTime } from "../../../core/tc/qdisc.ts";
import { bytes } from "../../../core/units.ts";
import type { MessageWriter } from "../message.ts";
import type { Attributes } from "../reader.ts";
import { TCA } from "./tcmsg.ts";

const FQ_CODEL = {
  TARGET: 1,
  LIMIT: 2,
  INTERVAL: 3,
  ECN: 4,
  FLOWS: 5,
  QUANTUM: 6,
  CE_THRESHOLD: 7,
  DROP_BATCH_SIZE: 8,
  MEMORY_LIMIT: 9,
} as const;

/** Writes what the value states, in the order in which tc does. */
export function encodeFqCodel(writer: MessageWriter, q: FqCodel): void {
  const u32 = (type: number, value: number | boolean | undefined): void => {
    if (value !== undefined) writer.u32(type, Number(value));
  };
  const options = writer.open(TCA.OPTIONS);
  u32(FQ_CODEL.LIMIT, q.limit);
  u32(FQ_CODEL.FLOWS, q.flows);
  u32(FQ_CODEL.QUANTUM, q.quantum);
  u32(FQ_CODEL.INTERVAL, q.interval);
  u32(FQ_CODEL.TARGET, q.target);
  u32(FQ_CODEL.ECN, q.ecn);
  u32(FQ_CODEL.CE_THRESHOLD, q.ceThreshold);
  u32(FQ_CODEL.MEMORY_LIMIT, q.memoryLimit);
  u32(FQ_CODEL.DROP_BATCH_SIZE, q.dropBatch);
  writer.close(options);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the options of a dump. */
export function decodeFqCodel(options: Attributes | undefined): FqCodel {
  const q: Mutable<FqCodel> = { kind: "fq_codel" };
  const a = options;
  while (a?.next()) {
    switch (a.type) {
      case FQ_CODEL.TARGET:
        q.target = fromCodelTime(a.u32());
        break;
      case FQ_CODEL.LIMIT:
        q.limit = a.u32();
        break;
      case FQ_CODEL.INTERVAL:
        q.interval = fromCodelTime(a.u32());
        break;
      case FQ_CODEL.ECN:
        q.ecn = a.u32() !== 0;
        break;
      case FQ_CODEL.FLOWS:
        q.flows = a.u32();
        break;
      case FQ_CODEL.QUANTUM:
        q.quantum = bytes(a.u32());
        break;
      case FQ_CODEL.CE_THRESHOLD:
        q.ceThreshold = fromCodelTime(a.u32());
        break;
      case FQ_CODEL.DROP_BATCH_SIZE:
        q.dropBatch = a.u32();
        break;
      case FQ_CODEL.MEMORY_LIMIT:
        q.memoryLimit = bytes(a.u32());
        break;
    }
  }
  return q;
}
