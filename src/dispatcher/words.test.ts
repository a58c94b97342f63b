import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGlobal, parseId, parseMetadata, parseProgram } from "./words.ts";

const usage = (message: RegExp): object => ({ code: "USAGE", message });

test("programs are TYPE:NAME, and for fentry and fexit TYPE:NAME:ATTACH", () => {
  assert.deepEqual(parseProgram("xdp:my_prog"), { type: "xdp", name: "my_prog" });
  assert.deepEqual(parseProgram("  xdp  :  my_prog  "), { type: "xdp", name: "my_prog" });
  const fentry = { type: "fentry", name: "entry_func", attachFunction: "do_unlinkat" };
  assert.deepEqual(parseProgram("fentry:entry_func:do_unlinkat"), fentry);
  assert.throws(() => parseProgram(""), usage(/cannot be empty/));
  assert.throws(() => parseProgram("xdp"), usage(/expected TYPE:NAME format/));
  assert.throws(() => parseProgram("my_prog"), usage(/expected TYPE:NAME format/));
  assert.throws(() => parseProgram(":my_prog"), usage(/type cannot be empty/));
  assert.throws(() => parseProgram("xdp:"), usage(/name cannot be empty/));
  assert.throws(() => parseProgram("XDP:my_prog"), usage(/unknown type "XDP"/));
  assert.throws(() => parseProgram("fentry:entry_func"), usage(/fentry requires attach function/));
  assert.throws(() => parseProgram("xdp:a:b"), usage(/takes no attach function/));
});

test("global data is NAME=HEX, bytes in the order in which they are typed", () => {
  assert.deepEqual(parseGlobal("GLOBAL_u32=0x0A0B0C0D"), ["GLOBAL_u32", "0a0b0c0d"]);
  assert.deepEqual(parseGlobal("empty="), ["empty", ""]);
  assert.throws(() => parseGlobal("=01"), usage(/expected NAME=HEX/));
  assert.throws(() => parseGlobal("name"), usage(/expected NAME=HEX/));
  for (const bad of ["name=GG", "name=123"]) assert.throws(() => parseGlobal(bad), usage(/invalid hex data/));
});

test("metadata is KEY=VALUE, and the value may hold anything", () => {
  assert.deepEqual(parseMetadata("key=value=with=equals"), ["key", "value=with=equals"]);
  assert.deepEqual(parseMetadata("key="), ["key", ""]);
  for (const bad of ["=value", "noequals", ""]) assert.throws(() => parseMetadata(bad), usage(/expected KEY=VALUE/));
  assert.throws(() => parseMetadata("   =value"), usage(/key cannot be empty/));
});

test("ids are decimal or hex", () => {
  assert.deepEqual([parseId("12"), parseId("0x1F")], [12, 31]);
  for (const bad of ["0", "-1", "1.5", "x", "", "0x", "4294967296"])
    assert.throws(() => parseId(bad), usage(/must be a number/));
});
