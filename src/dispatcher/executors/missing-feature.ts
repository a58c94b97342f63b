/** What a kernel lacks when it refuses a program, told as such: the error of the load speaks of the program alone. */
import { type SluiceError, sluiceError } from "../../core/errors.ts";
import { BpfLoadError } from "../../linux/bpf/object.ts";
import { loadProgram, PROGRAM_TYPE } from "../../linux/bpf/program.ts";
import { ERRNO } from "../../linux/errno.ts";
import type { ProgramType } from "../model.ts";

/** A program that was refused. */
export interface Refused {
  readonly name: string;
  readonly type: ProgramType;
}

/** `r0 = 0; exit` */
const RETURN_ZERO = Buffer.from("b7000000000000009500000000000000", "hex");

/** The kernel's types of programs that trace, by ours. */
const TRACE_TYPES: Partial<Record<ProgramType, number>> = {
  tracepoint: PROGRAM_TYPE.TRACEPOINT,
  kprobe: PROGRAM_TYPE.KPROBE,
  kretprobe: PROGRAM_TYPE.KPROBE,
  uprobe: PROGRAM_TYPE.KPROBE,
  uretprobe: PROGRAM_TYPE.KPROBE,
};

/** Whether the kernel refuses even the smallest program of a type. */
function isUnknownType(type: number): boolean {
  try {
    using _program = loadProgram({ type, name: "sluice_probe", code: RETURN_ZERO, license: "GPL" });
    return false;
  } catch (error) {
    return error instanceof BpfLoadError && error.errno === ERRNO.EINVAL;
  }
}

const isFunctionTracer = ({ type }: Refused): boolean => type === "fentry" || type === "fexit";
const quotedProgram = ({ name, type }: Refused): string => `${type} program "${name}"`;

type Lack = Readonly<Record<"what" | "reason" | "remedy", string>>;

function lackOf(error: BpfLoadError, programs: readonly Refused[]): Lack | undefined {
  const tracer = programs.find(isFunctionTracer);
  const another = "or use a kprobe instead";
  if (tracer && error.log.some((line) => line.includes("failed to find valid kernel BTF")))
    return {
      what: quotedProgram(tracer),
      reason: "it tells nothing of its own functions",
      remedy: `Use a kernel that was built with CONFIG_DEBUG_INFO_BTF, ${another}`,
    };
  // A kernel that lets nobody trace its functions says so by EPERM, without a word of the verifier.
  if (tracer && error.errno === ERRNO.EPERM && error.verifierLog === "")
    return {
      what: quotedProgram(tracer),
      reason: "it refuses programs of type tracing (EPERM)",
      remedy: `Run as root or with CAP_PERFMON, on a kernel that is not locked down and has CONFIG_FUNCTION_TRACER, ${another}`,
    };
  const text = [...error.log, error.verifierLog].join("\n");
  const [interpreted] = /(?:tail_calls|callbacks) are not allowed in non-JITed programs/.exec(text) ?? [];
  if (interpreted !== undefined)
    return {
      what: `A program with ${interpreted.startsWith("tail") ? "tail calls beside functions" : "callbacks"}`,
      reason: "it interprets programs",
      remedy: "Turn the compiler on with sysctl net.core.bpf_jit_enable=1, or use a kernel with CONFIG_BPF_JIT",
    };
  const probe = programs.find(({ type }) => TRACE_TYPES[type] !== undefined);
  if (probe && error.errno === ERRNO.EINVAL && isUnknownType(TRACE_TYPES[probe.type]!))
    return {
      what: quotedProgram(probe),
      reason: "it does not know programs of this type (EINVAL)",
      remedy: "Use a kernel that was built with CONFIG_BPF_EVENTS",
    };
  return undefined;
}

/** FEATURE_MISSING in place of an error of loading these programs, if that is what it comes from. */
export function missingFeature(error: unknown, programs: readonly Refused[]): SluiceError | undefined {
  const lack = error instanceof BpfLoadError ? lackOf(error, programs) : undefined;
  return lack && sluiceError("FEATURE_MISSING", lack, { cause: error });
}
