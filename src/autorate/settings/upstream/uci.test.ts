import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstSection, parseUci } from "./uci.ts";

/** Sections as plain values. */
const plain = (text: string) => {
  const { sections, faults } = parseUci(text);
  assert.deepEqual(faults, []);
  return sections.map(({ type, name, options }) => ({
    type,
    ...(name !== undefined && { name }),
    ...Object.fromEntries([...options].map(([key, { value }]) => [key, value])),
  }));
};
const faults = (text: string): string[] =>
  parseUci(text).faults.map(({ line, column, reason }) => `${line}:${column} ${reason}`);

test("sections, options, lists, comments", () => {
  const text = [
    "package sqm-autorate # no name",
    "",
    "config network",
    "\toption upload_interface 'wan'   # a comment",
    '  option download_interface "ifb4wan"',
    "  option upload_base_kbits 10000",
    "config plugins 'main'",
    "\tlist paths /a.lua",
    "\tlist paths '/b c.lua'",
  ].join("\n");
  assert.equal(parseUci(text).package, "sqm-autorate");
  assert.deepEqual(plain(text), [
    { type: "network", upload_interface: "wan", download_interface: "ifb4wan", upload_base_kbits: "10000" },
    { type: "plugins", name: "main", paths: ["/a.lua", "/b c.lua"] },
  ]);
});

test("quotes as uci has them", () => {
  assert.deepEqual(
    plain(String.raw`config t; option a 'x'"y"z; option b "\"q\\"; option c '\n#;'; option d a\ b; option e ''`),
    [{ type: "t", a: "xyz", b: '"q\\', c: "\\n#;", d: "a b", e: "" }],
  );
  assert.deepEqual(plain("config t\noption a 'one\ntwo'\noption b on\\\ne\n"), [
    { type: "t", a: "one\ntwo", b: "one" },
  ]);
});

test("the later option holds, and lists take in what is there", () => {
  assert.deepEqual(plain("config t\noption a 1\noption a 2\nlist a 3\nlist b 1\noption b 2\n"), [
    { type: "t", a: ["2", "3"], b: "2" },
  ]);
  assert.deepEqual(plain("config t x\noption a 1\nconfig t\noption a 9\nconfig t x\noption b 2\n"), [
    { type: "t", name: "x", a: "1", b: "2" },
    { type: "t", a: "9" },
  ]);
});

test("values know where they stand", () => {
  const file = parseUci("# first\nconfig network\n\n\toption a 1\n");
  const section = firstSection(file, "network")!;
  assert.deepEqual([section.line, section.column], [2, 1]);
  assert.deepEqual(section.options.get("a"), { value: "1", line: 4, column: 2 });
  assert.equal(firstSection(file, "output"), undefined);
});

test("all faults are told at once, with their places", () => {
  assert.deepEqual(
    faults("option a 1\nconfig\nconfg t\nconfig t\n option a-b 1\n option a\n option a 1 2\n option b 'x"),
    [
      '1:1 option "a" stands before the first config',
      "2:1 config has 0 words behind it, wanted a type and perhaps a name",
      '3:1 it begins with "confg", wanted package, config, option or list',
      '5:2 "a-b" is no name: letters, digits and _ are allowed in it',
      "6:2 option has 1 words behind it, wanted a name and a value",
      "7:2 option has 3 words behind it, wanted a name and a value",
      "8:11 a quote that begins here does not end",
    ],
  );
  assert.deepEqual(faults("config __proto__\n option constructor 1\n toString x\n"), [
    '3:2 it begins with "toString", wanted package, config, option or list',
  ]);
});

test("whatever is written in quotes is read back, and nothing throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const single = `config t\noption a '${value.replaceAll("'", `'\\''`)}'\n`;
      const double = `config t\noption a "${value.replaceAll(/["\\]/g, String.raw`\$&`)}"\n`;
      for (const text of [single, double]) assert.deepEqual(plain(text), [{ type: "t", a: value }]);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseUci(text)));
  const piece = fc.constantFrom("config", "option", "list", " ", "\n", "'", '"', "\\", "#", ";", "a", "1");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      for (const { line, column, reason } of parseUci(pieces.join("")).faults)
        assert.ok(line > 0 && column > 0 && reason);
    }),
  );
});
