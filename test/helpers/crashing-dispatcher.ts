/**
 * Makes one change of the dispatcher and dies (death.ts) at the n-th fault point; without dying it prints how many
 * points there were. Arguments: root folder, namespace path, number, operation as JSON (see dispatcher-crash.test.ts).
 */
import { systemClock } from "../../src/core/clock.ts";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import {
  attachToDispatcher,
  detachLinks,
  loadPrograms,
  readObjectFile,
  unloadPrograms,
} from "../../src/dispatcher/manage.ts";
import type { HookName } from "../../src/dispatcher/model.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { die } from "./death.ts";

/** What to do. */
export type Operation =
  | { readonly do: "load"; readonly object: string; readonly type: "xdp" | "tc"; readonly name: string }
  | {
      readonly do: "attach";
      readonly program: number;
      readonly hook: HookName;
      readonly priority: number;
      readonly tcHook?: "clsact" | "tcx";
    }
  | { readonly do: "detach"; readonly link: number }
  | { readonly do: "unload"; readonly program: number };

const [root, netns, dieAt, operation] = process.argv.slice(2) as [string, string, string, string];
let points = 0;
const fault = (): void => {
  if (points === Number(dieAt)) die();
  points += 1;
};

async function carryOut(dispatcher: Dispatcher, wanted: Operation): Promise<void> {
  switch (wanted.do) {
    case "load": {
      const { object: path, type, name } = wanted;
      const source = { kind: "file" as const, path };
      const request = { label: path, source, programs: [{ type, name }], globals: {}, metadata: {} };
      await loadPrograms(dispatcher, request, readObjectFile(path));
      return;
    }
    case "attach": {
      const { program: programId, hook, priority, tcHook } = wanted;
      const attach = { programId, hook, priority, device: "d0", netns };
      await attachToDispatcher(dispatcher, tcHook ? { ...attach, tcHook } : attach);
      return;
    }
    case "detach":
      await detachLinks(dispatcher, [wanted.link]);
      return;
    case "unload":
      await unloadPrograms(dispatcher, [wanted.program]);
      return;
  }
}

using dispatcher = new Dispatcher({ paths: pathsBelow(root), clock: systemClock, fault });
await carryOut(dispatcher, JSON.parse(operation) as Operation);
process.stdout.write(String(points));
