/** Exit codes of every command (sysexits where one fits). */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** `plan` found differences. */
  changes: 2,
  usage: 64,
  /** The user's data files have errors. */
  data: 65,
  /** Something this command needs is not there: the daemon, a kernel feature, a Node. */
  unavailable: 69,
  permission: 77,
  config: 78,
  interrupted: 130,
} as const;
