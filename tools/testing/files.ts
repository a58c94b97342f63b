/** Which test files there are and to which tier they belong. */
import { globSync } from "node:fs";

/**
 * `unit` runs anywhere (golden files and house rules too); `netns` needs root and a kernel to itself; `vm` needs a kernel
 * with CAKE, fq_codel and netem as well, which tools/vm.ts boots; `reboot` boots machines itself, and pulls their plug.
 */
export type Tier = "unit" | "netns" | "vm" | "reboot";

const PATTERNS: Readonly<Record<Tier, readonly string[]>> = {
  unit: ["{src,tools,demo,bench}/**/*.test.ts", "test/*.test.ts", "test/{golden,helpers}/**/*.test.ts"],
  netns: ["test/netns/**/*.test.ts"],
  vm: ["test/vm/**/*.test.ts"],
  reboot: ["test/reboot/**/*.test.ts"],
};

/**
 * The test files of a tier in the project at `root`, sorted, as paths from there. Filters are parts of paths; a file
 * stays when one of them is in its path, or when there are none.
 */
export function testFiles(root: string, tier: Tier, filters: readonly string[] = []): string[] {
  return globSync([...PATTERNS[tier]], { cwd: root })
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted();
}
