/** What is done to the kernel plane: a closed union, how each is described, and what takes it back. */
import type { ActionVocabulary, Sign } from "../../core/action.ts";
import type { Device } from "../../core/tc-place.ts";
import { addressText } from "../../core/prefix.ts";
import { type Row, RULE, RULE_KEY } from "./codec.ts";

/** Everything that is done. Changes and removals carry what was there, so that they can be undone. */
export type KernelAction =
  /** Puts the program on an interface's ingress side, or in the place of the one that is there. */
  | { readonly kind: "program.attach"; readonly device: Device; readonly replaces: boolean }
  | { readonly kind: "program.detach"; readonly device: Device }
  /** Says which kinds of rules an interface has. */
  | { readonly kind: "input.set"; readonly ifindex: number; readonly kinds: number; readonly before?: number }
  | { readonly kind: "input.delete"; readonly ifindex: number; readonly kinds: number }
  /** Adds or overwrites rows; `before` holds those that were overwritten. */
  | { readonly kind: "rows.set"; readonly rows: readonly Row[]; readonly before: readonly Row[] }
  | { readonly kind: "rows.delete"; readonly rows: readonly Row[] };

function signOf(action: KernelAction): Sign {
  switch (action.kind) {
    case "program.attach":
      return action.replaces ? "~" : "+";
    case "input.set":
      return action.before === undefined ? "+" : "~";
    case "rows.set":
      return action.before.length > 0 ? "~" : "+";
    case "program.detach":
    case "input.delete":
    case "rows.delete":
      return "-";
  }
}

function rowText({ key, value }: Row): string {
  const { ifindex, vlan, group, port, source } = RULE_KEY.read(key, 0);
  const { outputs } = RULE.read(value, 0);
  const from = source ? ` from ${addressText(source)}` : "";
  const where = vlan === 0 ? `interface ${ifindex}` : `interface ${ifindex} vlan ${vlan}`;
  const to = outputs.map((output) => `${addressText(output.group)} port ${output.port || "kept"}`);
  return `${where} ${addressText(group)} port ${port || "any"}${from} -> ${to.join(", ") || "user plane"}`;
}

function rowsText(rows: readonly Row[]): string {
  const shown = rows.slice(0, 3).map((row) => rowText(row));
  const more = rows.length > shown.length ? ` and ${rows.length - shown.length} more` : "";
  return `relay rows ${shown.join("; ")}${more}`;
}

function describe(action: KernelAction): string {
  switch (action.kind) {
    case "program.attach":
    case "program.detach":
      return `relay program dev ${action.device.name} ingress`;
    case "input.set":
    case "input.delete":
      return `relay input interface ${action.ifindex} kinds ${action.kinds}`;
    case "rows.set":
    case "rows.delete":
      return rowsText(action.rows);
  }
}

/** A program that was replaced by one of another build is not put back, as its object file may be gone. */
function inverse(action: KernelAction): readonly KernelAction[] {
  switch (action.kind) {
    case "program.attach":
      return action.replaces ? [] : [{ kind: "program.detach", device: action.device }];
    case "program.detach":
      return [{ kind: "program.attach", device: action.device, replaces: false }];
    case "input.set": {
      const { ifindex, kinds, before } = action;
      if (before === undefined) return [{ kind: "input.delete", ifindex, kinds }];
      return [{ kind: "input.set", ifindex, kinds: before, before: kinds }];
    }
    case "input.delete":
      return [{ kind: "input.set", ifindex: action.ifindex, kinds: action.kinds }];
    case "rows.set": {
      const known = new Set(action.before.map(({ key }) => key.toString("hex")));
      const fresh = action.rows.filter(({ key }) => !known.has(key.toString("hex")));
      return [
        ...(fresh.length > 0 ? [{ kind: "rows.delete" as const, rows: fresh }] : []),
        ...(action.before.length > 0 ? [{ kind: "rows.set" as const, rows: action.before, before: [] }] : []),
      ];
    }
    case "rows.delete":
      return [{ kind: "rows.set", rows: action.rows, before: [] }];
  }
}

/** How they are described and undone. */
export const KERNEL_ACTIONS: ActionVocabulary<KernelAction> = { describe, sign: signOf, inverse };
