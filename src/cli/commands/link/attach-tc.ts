/** `sluice link attach tc`. */
import { attachToDispatcher } from "../../../dispatcher/manage.ts";
import type { EngineName, TcHook } from "../../../dispatcher/model.ts";
import { parseProceedOn } from "../../../dispatcher/proceed-on.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, networkAttach, type NetworkFlags, parseSide } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: EngineName;
  readonly proceedOn?: readonly string[];
  readonly tcHook?: TcHook;
}

async function attach(this: CliContext, flags: Flags, program: string, device: string, side: string): Promise<void> {
  const { engine, tcHook, proceedOn } = flags;
  const wanted = {
    ...networkAttach(flags, program, device),
    hook: `tc-${parseSide(side)}` as const,
    ...(engine && { engine }),
    ...(tcHook && { tcHook }),
    ...(proceedOn && { proceedOn: parseProceedOn("tc", proceedOn) }),
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachToDispatcher(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
