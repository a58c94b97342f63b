/** Folders of pins, removed with what is in them. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { openPin, pin, removePins } from "../../src/linux/bpf/pin.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { TestBpffs } from "../helpers/bpffs.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";

checkFds();

describe("folders of pins", () => {
  let bpffs: TestBpffs;
  before(() => {
    bpffs = new TestBpffs();
  });
  after(() => bpffs[Symbol.dispose]());

  test("one goes with all that is below it, and nothing beside it", () => {
    using program = tinyProgram(PROGRAM_TYPE.XDP, 2);
    const [gone, stays] = [`${bpffs.path}/gone`, `${bpffs.path}/stays`];
    for (const folder of [`${gone}/a/b`, stays]) mkdirSync(folder, { recursive: true });
    for (const path of [`${gone}/p`, `${gone}/a/p`, `${gone}/a/b/p`, `${stays}/p`]) pin(program.number, path);
    removePins(gone);
    assert.equal(existsSync(gone), false);
    {
      using kept = openPin(`${stays}/p`);
      assert.ok(kept);
    }
    removePins(`${stays}/p`);
    assert.deepEqual([existsSync(stays), existsSync(`${stays}/p`)], [true, false]);
    removePins(stays);
    removePins(stays);
    assert.equal(existsSync(stays), false);
  });
});
