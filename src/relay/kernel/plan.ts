/**
 * From what is in the kernel to what shall be, pure. Four rules make the order:
 *
 * - An interface is noted among the inputs before it gets the program, and struck off after it lost it: wherever a run
 *   ends, the next one finds every program by the inputs.
 * - The program comes before rows and goes after them: attaching is what fails, and a program without rows takes nothing.
 * - An interface's kinds say at every moment at least what its rows are. Kinds without a row only cost a look.
 * - New and changed rows come before others go, so that a rule whose source or port changes is carried throughout.
 */
import type { Device } from "../../core/tc-place.ts";
import type { KernelAction } from "./actions.ts";
import type { Row } from "./codec.ts";
import type { KernelTable } from "./table.ts";

/** What an interface has at the program's place: ours of this build on the pinned maps, or one that has to be replaced. */
export type ProgramState = "current" | "stale";

/** What is in the kernel. */
export interface ObservedKernel {
  /** Our programs, by the number of their interface. */
  readonly programs: ReadonlyMap<number, ProgramState>;
  /** Kinds of rules by interface. */
  readonly inputs: ReadonlyMap<number, number>;
  /** By the key in hex. */
  readonly rows: ReadonlyMap<string, Row>;
}

/** Puts the program on an interface, unless it is there. */
export function planProgram(device: Device, { programs, inputs }: ObservedKernel): KernelAction[] {
  const { ifindex } = device;
  if (programs.get(ifindex) === "current") return [];
  const note: KernelAction[] = inputs.has(ifindex) ? [] : [{ kind: "input.set", ifindex, kinds: 0 }];
  return [...note, { kind: "program.attach", device, replaces: programs.has(ifindex) }];
}

function setRows(desired: KernelTable, observed: ObservedKernel): KernelAction[] {
  const rows = [...desired.rows].filter(([key, { value }]) => !observed.rows.get(key)?.value.equals(value));
  if (rows.length === 0) return [];
  const before = rows.flatMap(([key]) => observed.rows.get(key) ?? []);
  return [{ kind: "rows.set", rows: rows.map(([, row]) => row), before }];
}

function deleteRows(desired: KernelTable, observed: ObservedKernel): KernelAction[] {
  const rows = [...observed.rows].filter(([key]) => !desired.rows.has(key)).map(([, row]) => row);
  return rows.length > 0 ? [{ kind: "rows.delete", rows }] : [];
}

/** Kinds as they shall be while rows come and go, and afterwards. */
function setInputs(
  desired: KernelTable,
  { inputs }: ObservedKernel,
): { before: KernelAction[]; after: KernelAction[] } {
  const before: KernelAction[] = [];
  const after: KernelAction[] = [];
  for (const [ifindex, kinds] of desired.inputs) {
    const now = inputs.get(ifindex);
    const both = kinds | (now ?? 0);
    if (both !== now)
      before.push({ kind: "input.set", ifindex, kinds: both, ...(now !== undefined && { before: now }) });
    if (both !== kinds) after.push({ kind: "input.set", ifindex, kinds, before: both });
  }
  return { before, after };
}

/** Takes the program away where no row is left. One on an interface that is gone went with it. */
function leave(desired: KernelTable, observed: ObservedKernel, devices: ReadonlyMap<number, Device>): KernelAction[] {
  const noted = new Set([...observed.programs.keys(), ...observed.inputs.keys()]);
  return [...noted.difference(desired.inputs)].flatMap((ifindex): KernelAction[] => {
    const device = observed.programs.has(ifindex) ? devices.get(ifindex) : undefined;
    const kinds = observed.inputs.get(ifindex);
    return [
      ...(device ? [{ kind: "program.detach" as const, device }] : []),
      ...(kinds === undefined ? [] : [{ kind: "input.delete" as const, ifindex, kinds }]),
    ];
  });
}

/**
 * Changes rows, and takes the program away where none is left.
 *
 * @param devices the interfaces of the machine by number
 */
export function planTable(
  desired: KernelTable,
  observed: ObservedKernel,
  devices: ReadonlyMap<number, Device>,
): KernelAction[] {
  const inputs = setInputs(desired, observed);
  return [
    ...inputs.before,
    ...setRows(desired, observed),
    ...deleteRows(desired, observed),
    ...inputs.after,
    ...leave(desired, observed, devices),
  ];
}
