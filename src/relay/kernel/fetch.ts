/** Reads what the kernel plane is made of. */
import type { Device, TcHost } from "../../core/tc-place.ts";
import type { Row } from "./codec.ts";
import type { KernelMaps } from "./maps.ts";
import type { ObservedKernel, ProgramState } from "./plan.ts";
import { isCurrent } from "./program.ts";

function programOn(host: TcHost, device: Device, maps: readonly number[]): ProgramState | undefined {
  const state = host.stateOf(device);
  if (!state) return undefined;
  return state.programId !== undefined && isCurrent(state.programId, maps) ? "current" : "stale";
}

/** @param devices where our program may be */
export function fetchKernel(maps: KernelMaps, host: TcHost, devices: Iterable<Device>): ObservedKernel {
  const { ids } = maps;
  const programs = new Map<number, ProgramState>();
  for (const device of devices) {
    const state = programOn(host, device, ids);
    if (state) programs.set(device.ifindex, state);
  }
  const rows = maps.rules.entries().map(([key, value]): [string, Row] => [key.toString("hex"), { key, value }]);
  return { programs, inputs: new Map(maps.inputs.entries()), rows: new Map(rows) };
}
