/** What goes wrong in Lua. Whatever else is thrown by a call into Lua leaves a state that cannot be used any more. */

/** `deadline`: it ran for too long. `memory`: it wanted more than it may have. */
export type LuaFaultKind = "syntax" | "error" | "memory" | "deadline";

/** An error of Lua's, after which its state is as good as before. */
export class LuaFault extends Error {
  override readonly name = "LuaFault";
  readonly kind: LuaFaultKind;
  /** The script's line, when it is in the message. */
  readonly line: number | undefined;

  constructor(kind: LuaFaultKind, message: string, line?: number) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}
