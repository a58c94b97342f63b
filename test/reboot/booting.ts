/** Boots a guest that hangs, and prints its folder once it does. */
import { join } from "node:path";
import { runScript } from "../../tools/vm/guest-script.ts";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { SharedFolder } from "../../tools/vm/shared-folder.ts";
import { userModeLinux } from "../../tools/vm/uml.ts";

const CACHE = join(import.meta.dirname, "../../.vm");
const machine = userModeLinux(CACHE);
using shared = new SharedFolder(machine.memory * 2 ** 20, CACHE);
void (async () => {
  while (!existsSync(join(shared.path, "hangs"))) await setTimeout(50);
  console.log(shared.path);
})();
await runScript(machine, shared, { path: "test/reboot/ending.ts", args: ["hang"] });
