/** Skips that are checked: a test is skipped only where the kernel cannot have what it needs. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { SluiceError } from "../../src/core/errors.ts";
import { probeEngine } from "../../src/dispatcher/engines/probe.ts";
import { type Feature, kernelAtLeast, kernelConfig, qdiscFeature, tcxFeature } from "../../src/linux/features.ts";

/**
 * Whether the feature is there; when it is not the test is skipped, with the reason.
 *
 * @throws AssertionError when the kernel is new enough and was built with it, or when it cannot be found out
 */
export function requireFeature(t: TestContext, feature: Feature): boolean {
  const probe = feature.probe();
  if (probe.state === "present") return true;
  if (probe.state === "unknown")
    assert.fail(`Cannot find out whether the kernel has ${feature.name}: ${probe.error.message}`);
  const should = kernelAtLeast(feature.minKernel) && kernelConfig(feature.config) === true;
  assert.ok(!should, `${feature.name} is missing (${probe.reason}), but the kernel was built with ${feature.config}`);
  t.skip(`this kernel has no ${feature.name}: needs ${feature.minKernel} and ${feature.config}`);
  return false;
}

/** Whether the kernel has all leaf qdiscs; when it has not the test is skipped. @throws AssertionError as {@link requireFeature} */
export const requireLeaves = (t: TestContext): boolean =>
  requireFeature(t, qdiscFeature("cake")) && requireFeature(t, qdiscFeature("fq_codel"));

/** Whether the kernel has TCX; when it has not the test is skipped. @throws AssertionError as {@link requireFeature} */
export const requireTcx = (t: TestContext): boolean => requireFeature(t, tcxFeature);

/**
 * Skips by the product's own error, with the kernel's reason.
 *
 * @param must that this kernel has it: then there is nothing to skip
 */
export async function unlessMissing(t: TestContext, must: boolean, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (must || !(error instanceof SluiceError) || error.code !== "FEATURE_MISSING") throw error;
    t.skip(error.problems[0]!.message);
  }
}

/** That the kernel compiles programs: what needs that is not missing then. */
export const hasJit = kernelConfig("CONFIG_BPF_JIT") === true;

/** Whether each instruction is emulated on this machine, which makes it ten and more times as slow. */
export const isEmulated = process.env["SLUICE_TEST_EMULATED"] === "1";

/** Whether time can be measured here; on an emulated processor, where TCP cannot fill a plan, the test is skipped. */
export function requireSpeed(t: TestContext): boolean {
  if (isEmulated) t.skip("each instruction is emulated on this machine: it is too slow to fill a plan");
  return !isEmulated;
}

/**
 * Whether the kernel lets a program replace a function of another (freplace); when it does not the test is skipped.
 *
 * @throws AssertionError when the kernel has all that it takes and forbids it to nobody
 */
export function requireExtensions(t: TestContext): boolean {
  const { engine, reason } = probeEngine();
  if (engine === "freplace") return true;
  const should = kernelAtLeast("5.6") && hasJit && kernelConfig("CONFIG_DEBUG_INFO_BTF") === true;
  assert.ok(!should || reason?.includes("EPERM"), `the kernel should let programs extend each other: ${reason}`);
  t.skip(`this kernel lets no program extend another: ${reason?.split("\n")[0]}`);
  return false;
}
