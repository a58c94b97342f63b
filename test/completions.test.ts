/** What is generated from the command table: completions in the shells themselves, manual pages in groff. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ALL_LINK_KEYS } from "../src/autorate/settings/keys.ts";
import { SETTINGS_KEYS } from "../src/control/settings.ts";
import { OUTPUT_KEYS, RULE_KEYS } from "../src/relay/rules/read.ts";
import { RELAY_KEYS } from "../src/relay/settings.ts";
import { SHAPER_KEYS } from "../src/shaper/config.ts";
import { readDaemon } from "../tools/command-line/daemon.ts";
import { allVerbs, type Program, wordOf } from "../tools/command-line/model.ts";
import { readTable } from "../tools/command-line/table.ts";
import { completionScripts } from "../tools/completions.ts";
import { configurationTables, describedKeys } from "../tools/manual/configuration-keys.ts";
import { manualPages } from "../tools/manual.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-generated-"));
after(() => rmSync(folder, { recursive: true }));

const scripts = completionScripts();
const pages = manualPages(0);

/** `false`, or why a test cannot run: as node:test wants it. */
const without = (program: string): string | false =>
  spawnSync(program, ["--version"]).error ? `${program} is not installed` : false;

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  assert.ok(!error && status === 0, `${command} ${args.join(" ")}: ${error?.message ?? stdout + stderr}`);
  return stdout + stderr;
}

before(() => {
  for (const [path, text] of Object.entries({ ...scripts, ...pages }))
    writeFileSync(join(folder, basename(path)), text);
});

describe("completions", () => {
  for (const path of Object.keys(scripts)) {
    const [shell = "", name = ""] = path.split("/");
    test(`${path} is what ${shell} can read`, { skip: without(shell) }, () => {
      assert.equal(run(shell, "-n", join(folder, name)), "");
    });
  }

  /** Presses tab behind each line, and gives the words that bash would offer. */
  function offered(program: Program, lines: readonly string[]): Map<string, string[]> {
    const harness = `
      source "$1"; shift
      for COMP_LINE; do
        COMP_POINT=\${#COMP_LINE}
        mapfile -t COMP_WORDS < <(grep -oE '[=:]+|[^ =:]+' <<<"$COMP_LINE")
        if [[ $COMP_LINE == *' ' ]]; then COMP_WORDS+=(''); fi
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _${program.name}
        printf '%s\\t' "\${COMPREPLY[@]}"
        echo
      done`;
    const said = run("bash", "-c", harness, "bash", join(folder, program.name), ...lines).split("\n");
    return new Map(lines.map((line, index) => [line, said[index]!.split("\t").filter(Boolean).toSorted()]));
  }

  for (const program of [readTable(), readDaemon()]) {
    test(`bash offers all commands, flags and values of ${program.name}`, { skip: without("bash") }, () => {
      const expected = new Map<string, string[]>();
      for (const { path, children, flags } of allVerbs(program.root)) {
        const line = [program.name, ...path].join(" ");
        if (children.length > 0) expected.set(`${line} `, children.map(wordOf).toSorted());
        const names = flags.flatMap(({ name, negated }) => (negated ? [`--${name}`, `--no-${name}`] : [`--${name}`]));
        expected.set(`${line} --`, names.toSorted());
        for (const { name, values } of flags) {
          if (values.length === 0) continue;
          expected.set(`${line} --${name} `, [...values].toSorted());
          expected.set(`${line} --${name}=`, [...values].toSorted());
        }
      }
      assert.deepEqual(offered(program, [...expected.keys()]), expected);
    });
  }

  test("bash tells arguments from the values of flags", { skip: without("bash") }, () => {
    const lines = {
      "sluice link attach tc 412 eth0 ": ["egress", "ingress"],
      "sluice link attach tc --priority 10 412 eth0 e": ["egress"],
      "sluice link attach tc -m a=b --priority=10 412 eth0 e": ["egress"],
      "sluice link attach tc 412 eth0 egress ": [],
      "sluice apply --executor file --execut": ["--executor"],
      "sluice shaper circuit get list ": [],
      [`sluice check --config ${folder}/sluice.`]: [".1", ".fish", ".toml.5"].map((end) => `${folder}/sluice${end}`),
      [`sluice program load file -g a=00 --programs tc:count ${folder}/sluice.f`]: [`${folder}/sluice.fish`],
    };
    assert.deepEqual(offered(readTable(), Object.keys(lines)), new Map(Object.entries(lines)));
  });
});

describe("manual pages", () => {
  for (const name of Object.keys(pages)) {
    test(`groff has nothing to say about ${name}`, { skip: without("groff") }, () => {
      assert.equal(run("groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-z", join(folder, name)), "");
    });
    test(`mandoc has nothing to say about ${name}`, { skip: without("mandoc") }, () => {
      assert.equal(run("mandoc", "-Tlint", "-Wwarning", join(folder, name)), "");
    });
  }

  /** The text of a page without its markup. */
  const textOf = (name: string): string => pages[name]!.replaceAll(/\\f[BIR]/g, "").replaceAll(String.raw`\-`, "-");

  test("sluice(1) has every command with every flag", () => {
    const { name, root } = readTable();
    const parts = new Map(
      textOf("sluice.1")
        .split(/^\.S[SH] /m)
        .map((part) => [part.split("\n")[0]!.replaceAll('"', ""), part]),
    );
    for (const verb of allVerbs(root)) {
      const part = parts.get(verb === root ? "FLAGS" : [name, ...verb.path].join(" "));
      assert.ok(part !== undefined, `${verb.path.join(" ")} is left out`);
      if (verb.children.length > 0) continue;
      for (const flag of verb.flags) if (flag.name !== "help") assert.ok(part.includes(`--${flag.name}`), flag.name);
    }
  });

  test("sluiced(8) has every flag of the daemon's help", () => {
    const { root } = readDaemon();
    assert.ok(root.flags.length > 0);
    for (const flag of root.flags) assert.ok(textOf("sluiced.8").includes(`--${flag.name}`), flag.name);
  });

  test("sluice.toml(5) has every key with its example", () => {
    const text = textOf("sluice.toml.5").replaceAll(String.raw`\(dq`, '"');
    const links = Object.fromEntries(ALL_LINK_KEYS.map(({ name, example }) => [name, example]));
    const relay = { relay: RELAY_KEYS, "[relay.rules]": RULE_KEYS, "[relay.rules.outputs]": OUTPUT_KEYS };
    const tables = { shaper: SHAPER_KEYS, "autorate.links.NAME": links, ...relay, ...SETTINGS_KEYS };
    for (const [table, keys] of Object.entries(tables)) {
      assert.ok(text.includes(`.SS "[${table}]"`), table);
      for (const [key, example] of Object.entries(keys)) assert.ok(text.includes(`${key} = ${example}\n`), key);
    }
  });

  test("docs/configuration.md says of every key of the relay what it is", () => {
    const tables = configurationTables().filter(({ name }) => name.includes("relay"));
    assert.equal(tables.length, 3);
    for (const { name, keys } of tables)
      for (const { key, described } of keys) assert.ok((described?.meaning ?? "") !== "", `${name}.${key}`);
  });

  test("what docs/configuration.md says of a key is found below its table only", () => {
    const page =
      "## [a]\n\n| `k` | 1 \\| 2 | `1` | first |\n\n## Else\n\n| `k` | x | y | z |\n\n## [b]\n\n### More\n\n| `k` | | | second |\n\n### [[b.c]]\n\n| `k` | | | third |\n";
    assert.deepEqual(
      [...describedKeys(page)],
      [
        ["a.k", { value: "1 | 2", default: "`1`", meaning: "first" }],
        ["b.k", { value: "", default: "", meaning: "second" }],
        ["[b.c].k", { value: "", default: "", meaning: "third" }],
      ],
    );
  });
});
