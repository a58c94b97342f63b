/** Ends a guest in one of the ways that guests.test.ts knows: `ending.ts hang|off|fail`. */
import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const [way] = process.argv.slice(2);
if (way === "fail") throw new Error("why it fails");
if (way === "off") writeFileSync("/proc/sysrq-trigger", "o");
await setTimeout(600_000);
