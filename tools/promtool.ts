/** Prometheus' own checker of metrics, from the machine or out of Debian's package, which is not installed for it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cached, downloadHere, unpack } from "./vm/apt.ts";
import { readdirSync } from "node:fs";

/** Where it is. @throws Unavailable when it cannot be had here */
export function findPromtool(root: string): string {
  if (spawnSync("promtool", ["--version"]).status === 0) return "promtool";
  const folder = cached(join(root, ".vm"), "promtool", (work) => {
    downloadHere(work, "prometheus");
    const files = readdirSync(work).filter((name) => name.endsWith(".deb"));
    unpack(
      work,
      files.map((name) => join(work, name)),
      join(work, "tree"),
    );
  });
  return join(folder, "usr/bin/promtool");
}
