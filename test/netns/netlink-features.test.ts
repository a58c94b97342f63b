/** Probes of qdisc kinds against what this kernel's configuration says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelConfig, probeQdisc, qdiscFeature, type QdiscKind } from "../../src/linux/features.ts";
import { requireFeature } from "../helpers/features.ts";

const KINDS: readonly QdiscKind[] = ["mq", "htb", "pfifo", "bfifo", "tbf", "fq_codel", "cake", "ingress", "clsact"];

for (const kind of KINDS) {
  test(`the kernel has ${kind} if it was built with it`, (t) => {
    const feature = qdiscFeature(kind);
    const built = kernelConfig(feature.config);
    if (built === undefined) return t.skip("this kernel does not show its configuration");
    assert.equal(probeQdisc(kind), built, feature.config);
    assert.equal(feature.probe(), qdiscFeature(kind).probe(), "what is certain is remembered");
  });
}

test("a test is skipped only for what the kernel cannot have", (t) => {
  if (kernelConfig("CONFIG_NET_SCH_HTB") === undefined) return t.skip("this kernel does not show its configuration");
  const skips: (string | undefined)[] = [];
  const fake = { skip: (message?: string) => void skips.push(message) } as unknown as typeof t;
  const missing = {
    name: "qdisc x",
    minKernel: "2.6",
    config: "CONFIG_NET_SCH_HTB",
    probe: () => ({ state: "absent", reason: "no such kind" }) as const,
  };
  assert.throws(
    () => requireFeature(fake, missing),
    /qdisc x is missing \(no such kind\), but the kernel was built with/,
  );
  assert.ok(!requireFeature(fake, { ...missing, minKernel: "99.0" }));
  assert.ok(!requireFeature(fake, { ...missing, config: "CONFIG_SLUICE_NONE" }));
  assert.deepEqual(skips, [
    "this kernel has no qdisc x: needs 99.0 and CONFIG_NET_SCH_HTB",
    "this kernel has no qdisc x: needs 2.6 and CONFIG_SLUICE_NONE",
  ]);
});
