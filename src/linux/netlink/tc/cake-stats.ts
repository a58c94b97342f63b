/** CAKE's own statistics (TCA_CAKE_STATS_* and TCA_CAKE_TIN_STATS_*, linux/pkt_sched.h), in the units of tc-cake(8). */
import type { Attributes } from "../reader.ts";

/** Statistics of one tin, CAKE's word for a class of traffic; numbers since the qdisc was made. */
export interface CakeTin {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly droppedPackets: number;
  readonly droppedBytes: number;
  readonly ackDroppedPackets: number;
  readonly ackDroppedBytes: number;
  /** Marked with congestion experienced instead of dropped. */
  readonly ecnPackets: number;
  readonly ecnBytes: number;
  readonly backlogPackets: number;
  readonly backlogBytes: number;
  /** Bytes per second above which the tin loses its priority. */
  readonly thresholdRate: number;
  /** Microseconds, as all times here. */
  readonly target: number;
  readonly interval: number;
  readonly wayIndirectHits: number;
  readonly wayMisses: number;
  readonly wayCollisions: number;
  readonly peakDelay: number;
  readonly averageDelay: number;
  readonly baseDelay: number;
  readonly sparseFlows: number;
  readonly bulkFlows: number;
  readonly unresponsiveFlows: number;
  readonly maxPacketLength: number;
  readonly quantum: number;
}

/** Statistics of a CAKE. */
export interface CakeStats {
  /** Bytes per second that the automatic rate estimates. */
  readonly capacity: number;
  readonly memoryLimit: number;
  readonly memoryUsed: number;
  readonly averageNetworkOffset: number;
  readonly minNetworkLength: number;
  readonly maxNetworkLength: number;
  readonly minAdjustedLength: number;
  readonly maxAdjustedLength: number;
  /** Lowest priority first. */
  readonly tins: readonly CakeTin[];
}

const FIELDS: readonly (readonly [type: number, field: Exclude<keyof CakeStats, "tins">, wide?: boolean])[] = [
  [2, "capacity", true],
  [3, "memoryLimit"],
  [4, "memoryUsed"],
  [5, "averageNetworkOffset"],
  [6, "minNetworkLength"],
  [7, "maxNetworkLength"],
  [8, "minAdjustedLength"],
  [9, "maxAdjustedLength"],
];
const TIN_STATS = 10;

const TIN_FIELDS: readonly (readonly [type: number, field: keyof CakeTin, wide?: boolean])[] = [
  [2, "sentPackets"],
  [3, "sentBytes", true],
  [4, "droppedPackets"],
  [5, "droppedBytes", true],
  [6, "ackDroppedPackets"],
  [7, "ackDroppedBytes", true],
  [8, "ecnPackets"],
  [9, "ecnBytes", true],
  [10, "backlogPackets"],
  [11, "backlogBytes"],
  [12, "thresholdRate", true],
  [13, "target"],
  [14, "interval"],
  [15, "wayIndirectHits"],
  [16, "wayMisses"],
  [17, "wayCollisions"],
  [18, "peakDelay"],
  [19, "averageDelay"],
  [20, "baseDelay"],
  [21, "sparseFlows"],
  [22, "bulkFlows"],
  [23, "unresponsiveFlows"],
  [24, "maxPacketLength"],
  [25, "quantum"],
];

type Row<K extends string> = readonly [type: number, field: K, wide?: boolean];

/** Makes a reader that fills an object of zeros from a table of attributes. */
function tableReader<K extends string>(rows: readonly Row<K>[]): (a: Attributes) => Record<K, number> {
  const byType = new Map(rows.map((row) => [row[0], row]));
  const zeros = Object.fromEntries(rows.map(([, field]) => [field, 0])) as Record<K, number>;
  return (a) => {
    const values = { ...zeros };
    while (a.next()) {
      const row = byType.get(a.type);
      if (row) values[row[1]] = row[2] ? a.u64() : a.u32();
    }
    return values;
  };
}

const readTin: (a: Attributes) => CakeTin = tableReader(TIN_FIELDS);
const readFields = tableReader(FIELDS);

/** Reads the content of CAKE's TCA_STATS_APP. */
export function decodeCakeStats(a: Attributes): CakeStats {
  const tins: CakeTin[] = [];
  const again = a.again();
  while (again.next()) {
    if (again.type !== TIN_STATS) continue;
    const each = again.nested();
    while (each.next()) tins.push(readTin(each.nested()));
  }
  return { ...readFields(a), tins };
}
