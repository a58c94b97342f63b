/** Flags that several commands have, as the command table wants them. */

/** `--json`. */
export const json = { kind: "boolean", brief: "Answer as JSON", default: false } as const;

/** A flag with a text. */
export const text = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, brief, placeholder, optional: true }) as const;

/** A flag with a text that may be given several times, or with commas. */
export const texts = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, brief, placeholder, variadic: ",", optional: true }) as const;

/** A flag that is there or not. */
export const flag = (brief: string) => ({ kind: "boolean", brief, default: false }) as const;

/** `--direct`. */
export const direct = {
  kind: "boolean",
  brief: "Do it in this process, whether sluiced runs or not",
  default: false,
} as const;

/** `--netns`. */
export const netns = text("Work on the interfaces of this network namespace (name or path)", "NS");

/** `--lock-timeout`. */
export const lockTimeout = text(
  "How long to wait for another sluice to finish (default 30s; 0 waits for ever)",
  "TIME",
);

/** A positional argument. */
export const argument = (brief: string, placeholder: string) => ({ parse: String, brief, placeholder }) as const;

/** Positional arguments of a fixed number. */
export const tuple = <const P extends readonly ReturnType<typeof argument>[]>(...parameters: P) =>
  ({ kind: "tuple", parameters }) as const;
