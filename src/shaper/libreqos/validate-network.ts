/** The Python side's check of `network.json`. It sees less than it seems to: only what follows can fail here. */
import { PythonError } from "./python/error.ts";
import { isDict, isList, type PyValue } from "./python/json.ts";
import type { Report } from "./messages.ts";
import { levelEntries, NO_NODE, nodeLocation } from "./network.ts";

class NetworkChecker {
  readonly #file: string;
  readonly #report: Report;
  readonly names = new Set<string>();

  constructor(file: string, report: Report) {
    this.#file = file;
    this.#report = report;
  }

  level(level: PyValue, path: readonly string[]): void {
    // In an array only texts are looked at.
    const visible = isList(level) ? level.filter((item) => typeof item === "string") : level;
    const explain = () => ({
      reason: `${path.length === 0 ? "The network" : `"children" of node "${path.at(-1)}"`} is no object`,
      remedy: "Write an object of nodes by name",
      where: nodeLocation(this.#file, path),
    });
    for (const [name, node] of levelEntries(visible, explain)) {
      if (isDict(node) && name !== NO_NODE) this.node(name, node, [...path, name]);
    }
  }

  node(name: string, node: ReadonlyMap<string, PyValue>, path: readonly string[]): void {
    const where = nodeLocation(this.#file, path);
    if (this.names.has(name)) {
      // LibreQoS means to fail here, but clears a flag of the wrong scope: validation passes.
      const reason = `Node name "${name}" is used twice, so circuits that name it are built under every one of them`;
      const remedy = "Give every node in the tree a name of its own";
      this.#report.warn(`Non-unique Node name in network.json: ${name}`, { reason, remedy, where });
    } else if (node.has("uploadBandwidthMbps")) {
      this.names.add(name);
    } else {
      const reason = `Node "${name}" has no uploadBandwidthMbps`;
      throw new PythonError("KeyError", "'uploadBandwidthMbps'", { reason, remedy: "Add its rate in Mbit/s", where });
    }
    const children = node.get("children");
    if (children !== undefined) this.level(children, path);
  }
}

/**
 * Checks a network.
 *
 * @param network undefined when it is no JSON
 * @returns whether LibreQoS would go on
 * @throws PythonError KeyError for a node without uploadBandwidthMbps, TypeError for what cannot be walked
 */
export function validateNetwork(network: PyValue | undefined, file: string, report: Report): boolean {
  if (network === undefined) {
    const reason = "The network cannot be parsed as JSON";
    const remedy = "Mend the JSON; sluice check tells where";
    report.refuse("network.json is an invalid JSON file", { reason, remedy, where: { file } });
    return false;
  }
  if (isDict(network) && network.size === 0) return true;
  const checker = new NetworkChecker(file, report);
  checker.level(network, []);
  if (checker.names.size > 0) return true;
  const reason = "The network has no node";
  const remedy = "Write {} for a flat network, else an object of nodes by name";
  const text = "network.json had 0 valid nodes. Only {} is accepted for that scenario.";
  report.refuse(text, { reason, remedy, where: { file } });
  return false;
}
