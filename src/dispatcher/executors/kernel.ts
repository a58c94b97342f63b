/** Does the dispatcher's actions: programs, links and filters in the kernel, pins on the bpffs, rows in the store. */
import { messageOf } from "../../core/errors.ts";
import type { Executor, Outcome } from "../../core/executor.ts";
import { removePins } from "../../linux/bpf/pin.ts";
import type { DispatcherAction } from "../actions.ts";
import { commit } from "../state/write.ts";
import { type KernelContext, pinPath } from "./context.ts";
import { doHook } from "./hooks.ts";
import { detachPinned, doLink } from "./links.ts";
import { loadObject, removeProgram, unloadObject } from "./objects.ts";
import { doRevision } from "./revisions.ts";

/** Carries out one plan. */
export class KernelExecutor implements Executor<DispatcherAction> {
  readonly batch = 1;
  readonly #context: KernelContext;
  /** After the commit the change stands: what fails then is told, and the next heal does it. */
  #committed = false;

  constructor(context: KernelContext) {
    this.#context = context;
  }

  run(actions: readonly DispatcherAction[]): Promise<readonly Outcome[]> {
    return Promise.resolve(actions.slice(0, 1).map((action) => this.#try(action)));
  }

  #try(action: DispatcherAction): Outcome {
    try {
      this.#context.fault(`before ${action.kind}`);
      this.#do(action);
      this.#context.fault(`after ${action.kind}`);
      return undefined;
    } catch (error) {
      if (!this.#committed) return error as Error;
      this.#context.warnings.push(messageOf(error));
      return undefined;
    }
  }

  #do(action: DispatcherAction): void {
    const context = this.#context;
    switch (action.kind) {
      case "object.load":
        return loadObject(context, action);
      case "object.unload":
        return unloadObject(context, action.programs);
      case "program.remove":
        return removeProgram(context, action);
      case "clsact.add":
      case "clsact.remove":
      case "hook.attach":
      case "hook.swap":
      case "hook.detach":
        return doHook(context, action);
      case "revision.build":
      case "revision.remove":
        return doRevision(context, action);
      case "link.attach":
      case "link.detach":
        return doLink(context, action);
      case "pin.remove":
        return this.#removePin(action.path, action.folder);
      case "store.commit":
        commit(context.db(), action.changes, context);
        this.#committed = true;
        return;
    }
  }

  /** A link's pin is detached by force, so that it ends also when some process still holds it. */
  #removePin(path: string, folder: boolean): void {
    const absolute = pinPath(this.#context, path);
    if (!folder && /(^links\/|_link$)/.test(path)) detachPinned(absolute);
    else removePins(absolute);
  }
}
