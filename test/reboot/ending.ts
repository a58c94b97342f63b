/** Ends a guest in one of the ways that guests.test.ts knows: `ending.ts hang|off|fail`. */
import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { SHARED_IN_GUEST } from "../../tools/vm/job.ts";

const [way] = process.argv.slice(2);
if (way === "fail") throw new Error("why it fails");
console.log(way === "off" ? "goes off now" : "hangs now");
if (way === "off") writeFileSync("/proc/sysrq-trigger", "o");
else writeFileSync(`${SHARED_IN_GUEST}/hangs`, "");
await setTimeout(600_000);
