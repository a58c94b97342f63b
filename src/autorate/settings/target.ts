/** What a direction is set by, as `sluice.toml` names it: `cake ifb4wan`, `tbf wan`, `htb eth1 1:2a`. */
import { interfaceName, Refusal, shown } from "../../core/config-values.ts";
import { formatHandle, major, minor, parseHandle, TC_ROOT } from "../../core/tc/handle.ts";
import type { TargetSpec } from "../config.ts";
import type { ValueType } from "./value-type.ts";

const WANTED = 'wanted "cake INTERFACE", "tbf INTERFACE" or "htb INTERFACE CLASS", such as "htb eth1 1:2a"';

function parse(text: string): TargetSpec | Refusal {
  const [kind, device, id, ...rest] = text.trim().split(/\s+/);
  const name = interfaceName(device);
  if (name instanceof Refusal || rest.length > 0) return new Refusal(WANTED);
  if (kind === "cake" || kind === "tbf") return id === undefined ? { kind, device: name } : new Refusal(WANTED);
  if (kind !== "htb" || id === undefined) return new Refusal(WANTED);
  const classid = parseHandle(id);
  return classid !== undefined && classid !== TC_ROOT && major(classid) !== 0 && minor(classid) !== 0
    ? { kind, device: name, classid }
    : new Refusal(`"${id}" is no class, wanted two hexadecimal numbers such as 1:2a`);
}

/** A shaper by its kind and place. */
export const TARGET: ValueType<TargetSpec> = {
  wanted: '`"cake INTERFACE"`, `"tbf INTERFACE"`, `"htb INTERFACE CLASS"`',
  read: (value) => {
    const parsed = typeof value === "string" ? parse(value) : new Refusal(WANTED);
    return parsed instanceof Refusal ? new Refusal(`it is ${shown(value)}, ${parsed.reason}`) : parsed;
  },
};

/** A target in the words of the file: `cake ifb4wan`, `htb eth1 1:2a`; `wan` for one that is found by itself. */
export function targetText(target: TargetSpec): string {
  switch (target.kind) {
    case "site":
      return `site "${target.name}"`;
    case "htb":
      return `htb ${target.device} ${formatHandle(target.classid)}`;
    case "auto":
      return target.device;
    default:
      return `${target.kind} ${target.device}`;
  }
}

/** Whether writing the one may write the other. Different classes of one HTB are apart; whatever else shares an interface is not. */
export function collide(a: TargetSpec, b: TargetSpec): boolean {
  if (a.kind === "site" || b.kind === "site") return a.kind === "site" && b.kind === "site" && a.name === b.name;
  if (a.device !== b.device) return false;
  return a.kind !== "htb" || b.kind !== "htb" || a.classid === b.classid;
}
