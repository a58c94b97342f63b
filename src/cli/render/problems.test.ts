import assert from "node:assert/strict";
import { test } from "node:test";
import { problem, SluiceError } from "../../core/errors.ts";
import { errorText, warningLines } from "./problems.ts";

const capped = (what: string) =>
  problem("SHAPER_CEIL_CAPPED", { what, direction: "download", rate: "1", limit: "the link", ceil: "1" });
const missing = (device: string) => problem("INTERFACE_MISSING", { device, field: "lan" });

test("an error shows every error, and of each kind of warning the first few and how many there are", () => {
  const warnings = Array.from({ length: 9 }, (_, i) => capped(`Circuit "${i}"`));
  const errors = Array.from({ length: 9 }, (_, i) => missing(`eth${i}`));
  const text = errorText(new SluiceError([...warnings, ...errors]));
  assert.equal(text.match(/^error: /gm)?.length, 9);
  assert.equal(text.match(/^warning: /gm)?.length, 5);
  assert.match(text, /^\.\.\. and 4 more of SHAPER_CEIL_CAPPED \(--json lists all\)$/m);
});

test("what stands in a file moves no cursor", () => {
  assert.match(errorText(new SluiceError([missing("a\u001b[2Jb\r\nc")])), /"a␛\[2Jb␍\nc"/);
  assert.match(warningLines([capped('Circuit "\u0007\u009b\u007f"')])[0]!, /Circuit "␇\uFFFD␡"/);
});
