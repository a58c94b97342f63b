import assert from "node:assert/strict";
import { test } from "node:test";
import { BpfLoadError } from "../../linux/bpf/object.ts";
import { ERRNO } from "../../linux/errno.ts";
import type { ProgramType } from "../model.ts";
import { missingFeature } from "./missing-feature.ts";

const refused = (number: number, log: readonly string[], verifier: string, ...types: ProgramType[]) =>
  missingFeature(
    new BpfLoadError("set", number, log, verifier),
    types.map((type) => ({ name: `a_${type}`, type })),
  )?.problems[0];

test("a kernel without BTF cannot trace its functions", () => {
  const log = ["libbpf: failed to find valid kernel BTF", "libbpf: Error loading vmlinux BTF: -3"];
  const problem = refused(ERRNO.ESRCH, log, "", "xdp", "fentry");
  assert.equal(problem?.code, "FEATURE_MISSING");
  assert.match(problem.message, /^fentry program "a_fentry" is not supported by this kernel: /);
  assert.match(problem.remedy, /CONFIG_DEBUG_INFO_BTF.*kprobe/);
});

test("one that lets nobody trace says so by EPERM without a word of the verifier; with one it is the program's fault", () => {
  assert.match(refused(ERRNO.EPERM, [], "", "fexit")!.message, /refuses programs of type tracing \(EPERM\)/);
  assert.match(refused(ERRNO.EPERM, [], "", "fexit")!.remedy, /CAP_PERFMON/);
  assert.equal(refused(ERRNO.EPERM, [], "R1 leaks addr into map", "fexit"), undefined);
  assert.equal(refused(ERRNO.EPERM, [], "", "xdp"), undefined);
});

test("one that interprets programs takes neither callbacks nor tail calls beside functions", () => {
  const calls = refused(
    ERRNO.EINVAL,
    [],
    "tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls",
    "xdp",
  );
  assert.match(calls!.message, /tail calls beside functions is not supported by this kernel: it interprets programs/);
  const callbacks = refused(ERRNO.EINVAL, [], "callbacks are not allowed in non-JITed programs", "tc");
  assert.match(callbacks!.message, /^A program with callbacks /);
  assert.match(callbacks!.remedy, /bpf_jit_enable=1/);
});

test("whatever else the verifier or somebody else says stays what it is", () => {
  assert.equal(refused(ERRNO.EINVAL, [], "invalid mem access 'scalar'", "xdp"), undefined);
  assert.equal(refused(ERRNO.EINVAL, [], "", "tcx"), undefined);
  assert.equal(missingFeature(new Error("callbacks are not allowed in non-JITed programs"), []), undefined);
});
