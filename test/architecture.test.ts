/**
 * The house rules (docs/architecture.md) that can be told from the text of the sources: who may import whom, what planners
 * and the start of the command line may load, how large files are, and that every export is described. The lint rules in
 * .oxlintrc.json are the quick half of this: they speak in the editor.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { undocumented } from "../tools/check-docs.ts";
import { ROOT, type Source, importsOf, loadedBy, readSources, withoutComments } from "./helpers/sources.ts";

/** Which rooms a room may import. Whatever is not named, it may not. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  core: [],
  linux: ["core"],
  store: ["core"],
  shaper: ["core", "linux", "store"],
  dispatcher: ["core", "linux", "store"],
  autorate: ["core", "linux", "store"],
  relay: ["core", "linux", "store"],
  api: ["core"],
  control: ["core", "linux", "store", "api", "shaper", "dispatcher", "autorate", "relay"],
  daemon: ["core", "linux", "store", "api", "control", "shaper", "autorate", "relay"],
  cli: ["core", "linux", "api", "control"],
};

/** Domains: the rooms with a planner, which do not import each other. */
const DOMAINS = ["shaper", "dispatcher", "autorate", "relay"];

/** Packages and builtins with one home: a room, or a file. */
const HOMES: readonly (readonly [target: RegExp, home: RegExp, reason: string])[] = [
  [/^koffi$/, /^src\/linux\//, "only src/linux calls C"],
  [/^node:child_process$/, /^src\/linux\//, "only src/linux starts processes"],
  [/^node:(worker_threads|dgram)$/, /^src\/linux\//, "only src/linux makes threads and sockets"],
  [/^@stricli\//, /^src\/cli\//, "only the command line knows its framework"],
  [/^@logtape\//, /^src\/core\/log\.ts$/, "everything logs through core/log.ts"],
];

/** Builtins that compute and do not reach outside the process. */
const PURE_BUILTINS = ["node:net", "node:util", "node:crypto", "node:path"];
/** `node:net` is pure only as far as it parses addresses. */
const PURE_NET = ["isIP", "isIPv4", "isIPv6"];

/** Files that must load nothing but pure code: they are called with values and give values. */
const PURE = [
  new RegExp(`^src/(${DOMAINS.join("|")})/(plan|model|actions)(/.*)?\\.ts$`),
  /^src\/shaper\/(build|view)\.ts$/,
  /codec\.ts$/,
  /^src\/linux\/netlink\/(message|reader|tc\/.*)\.ts$/,
  /^src\/linux\/packet\/frame\.ts$/,
  /^src\/core\//,
];

const all = readSources("src/**/*.ts");
const sources = all.filter(({ path }) => !path.endsWith(".test.ts"));
const byPath = new Map(sources.map((source) => [source.path, source]));
const roomOf = (path: string): string | undefined => /^src\/([\w-]+)\//.exec(path)?.[1];

/** Whether loading `target` takes a file out of the pure part; `from` is the file that imports it. */
const impure = (target: string, from: Source | undefined): boolean => {
  if (target === "node:net")
    return !from?.imports.every((i) => i.target !== target || i.names.every((n) => PURE_NET.includes(n)));
  if (target.startsWith("node:")) return !PURE_BUILTINS.includes(target);
  if (target === "koffi") return true;
  return roomOf(target) === "linux" && !PURE.some((pattern) => pattern.test(target));
};

/** Asserts that a rule found nothing, with everything it found in the message. */
const none = (found: readonly string[], rule: string): void =>
  assert.equal(found.length, 0, `${rule}:\n  ${found.join("\n  ")}`);

describe("the reader of sources", () => {
  it("sees the whole tree", () => {
    assert.ok(sources.length > 90, `only ${sources.length} source files were seen`);
    assert.ok(all.length > sources.length + 10, `only ${all.length - sources.length} unit test files were seen`);
  });

  it("understands every import", () => {
    const missed = all.flatMap(({ path, text, imports }) => {
      const statements = text.match(/^(import\b(?!\.)|export\s[^;=(]*?\sfrom\s")/gm)?.length ?? 0;
      const seen = imports.filter((found) => !found.lazy).length;
      return statements === seen ? [] : [`${path}: ${statements} statements, ${seen} understood`];
    });
    none(missed, "imports in a form that test/helpers/sources.ts does not read");
    const text = `import a, { type B } from "./b.ts";\nexport type { C } from "../c.ts";\nimport "d";\nawait import("./e.ts");\n`;
    const read = importsOf("src/x/a.ts", text).map((i) => [i.target, i.typeOnly, i.lazy]);
    assert.deepEqual(read, [
      ["src/x/b.ts", false, false],
      ["src/c.ts", true, false],
      ["d", false, false],
      ["src/x/e.ts", false, true],
    ]);
  });

  it("finds every file that is imported", () => {
    const dangling = all.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => /^(src|test|tools|demo|bench)\//.test(target) && !existsSync(join(ROOT, target)))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    none(dangling, "imports of files that are not there");
  });
});

describe("the import rule", () => {
  it("names rooms that exist, and no room goes without a rule", () => {
    const rooms = [...new Set(sources.map(({ path }) => roomOf(path) ?? path))].toSorted();
    assert.deepEqual(rooms, Object.keys(MAY).toSorted(), "src has other rooms than the table MAY");
    for (const [target] of HOMES.filter(([, home]) => !sources.some(({ path }) => home.test(path)))) {
      assert.equal(
        sources.some(({ imports }) => imports.some((i) => target.test(i.target))),
        false,
        `${target} is imported, but its home is not there`,
      );
    }
  });

  it("allows no cycle between rooms", () => {
    const below = (room: string, path: readonly string[] = []): void => {
      assert.ok(!path.includes(room), `the table MAY has a cycle: ${[...path, room].join(" > ")}`);
      for (const next of MAY[room] ?? []) below(next, [...path, room]);
    };
    Object.keys(MAY).forEach((room) => below(room));
  });

  it("holds between rooms, for types and lazy imports too", () => {
    const broken = sources.flatMap(({ path, imports }) => {
      const room = roomOf(path) ?? "";
      return imports
        .map(({ target }) => roomOf(target))
        .filter((target) => target !== undefined && target !== room && !MAY[room]?.includes(target))
        .map((target) => `${path} imports ${target}; ${room} may import ${MAY[room]?.join(", ") || "nothing"}`);
    });
    none(broken, "imports between rooms");
  });

  it("keeps domains apart", () => {
    const both = DOMAINS.flatMap((room) => (MAY[room] ?? []).filter((other) => DOMAINS.includes(other)));
    none(both, "domains meet in interfaces of src/core only");
  });

  it("gives packages and builtins one home", () => {
    const strays = sources.flatMap(({ path, imports }) =>
      imports.flatMap(({ target }) =>
        HOMES.filter(([what, home]) => what.test(target) && !home.test(path)).map(
          ([, , reason]) => `${path} imports ${target}: ${reason}`,
        ),
      ),
    );
    none(strays, "imports away from their home");
    const used = (name: RegExp) => sources.some(({ imports }) => imports.some(({ target }) => name.test(target)));
    assert.ok(used(/^koffi$/) && used(/^node:child_process$/), "the rule about src/linux guards nothing any more");
  });

  it("keeps /proc and /sys behind src/linux", () => {
    const strays = sources
      .filter(({ path, text }) => roomOf(path) !== "linux" && /["'`]\/(proc|sys)\b/.test(withoutComments(text)))
      .map(({ path }) => path);
    none(strays, "paths of the kernel outside src/linux");
    assert.ok(
      sources.some(({ path, text }) => roomOf(path) === "linux" && /["'`]\/proc\b/.test(withoutComments(text))),
      "src/linux reads nothing of /proc: this rule looks for the wrong thing",
    );
  });

  it("keeps planners, models, actions, codecs and core pure, with all they load", () => {
    for (const pattern of PURE)
      assert.ok(
        sources.some(({ path }) => pattern.test(path)),
        `${pattern} names no file`,
      );
    const broken = sources
      .filter(({ path }) => PURE.some((pattern) => pattern.test(path)))
      .flatMap(({ path }) =>
        [...loadedBy(path, byPath)]
          .filter(([target, route]) => impure(target, byPath.get(route.at(-2) ?? "")))
          .map(([, route]) => route.join(" > ")),
      );
    none(broken, "pure files that load what reaches outside");
  });

  it("lets the command line start without loading a domain, the kernel boundary or the store", () => {
    const main = "src/cli/main.ts";
    assert.ok(byPath.has(main), `${main} is not there`);
    const loaded = loadedBy(main, byPath);
    assert.ok(loaded.size > 3, `${main} loads next to nothing: the rule looks at the wrong file`);
    const heavy = [...loaded].filter(
      ([target]) =>
        (!["core", "cli", undefined].includes(roomOf(target)) && !/^src\/linux\/(paths|version)\.ts$/.test(target)) ||
        /^(koffi|valibot|smol-toml|node:sqlite|node:http)$/.test(target),
    );
    none(
      heavy.map(([, route]) => route.join(" > ")),
      "load these in the command that needs them, by import()",
    );
  });

  it("has no two files that wait for each other", () => {
    const cycles = sources.flatMap(({ path }) =>
      [...loadedBy(path, byPath)]
        .filter(([target]) => byPath.get(target)?.imports.some((i) => i.target === path && !i.typeOnly && !i.lazy))
        .map(([, route]) => [...route, path].join(" > ")),
    );
    none(cycles, "import cycles");
  });

  it("is the one that the linter enforces", () => {
    const text = readFileSync(join(ROOT, ".oxlintrc.json"), "utf8").replaceAll(/^\s*\/\/.*$/gm, "");
    const { overrides } = JSON.parse(text) as { overrides: { files: string[]; rules: Record<string, unknown> }[] };
    const guarded = overrides.filter(({ rules }) => "no-restricted-imports" in rules);
    for (const room of Object.keys(MAY))
      assert.ok(
        guarded.some(({ files }) => files.includes(`src/${room}/**/*.ts`)),
        `no lint rule for src/${room}`,
      );
    const lists = [...JSON.stringify(guarded.map(({ rules }) => rules)).matchAll(/\/\((?<rooms>[\w|]+)\)\//g)];
    assert.ok(lists.length >= 4, "the lint rules name no rooms");
    const known = Object.keys(MAY);
    const unknown = lists
      .flatMap((list) => (list.groups?.["rooms"] ?? "").split("|"))
      .filter((r) => !known.includes(r));
    none([...new Set(unknown)], "the lint rules forbid rooms that there are not");
  });
});

describe("the sources", () => {
  it("are small", (t) => {
    const sizes = sources.map(({ lines }) => lines).toSorted((a, b) => a - b);
    const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)] ?? 0;
    const sum = sizes.reduce((total, size) => total + size, 0);
    t.diagnostic(
      `${sizes.length} files, ${sum} lines: median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, largest ${at(1)}`,
    );
    none(
      all.filter(({ lines }) => lines > 600).map(({ path, lines }) => `${path}: ${lines} lines`),
      "files above 600 lines",
    );
    assert.ok(at(0.5) < 90, `the median is ${at(0.5)} lines, wanted less than 90`);
    assert.ok(at(0.9) < 350, `the 90th percentile is ${at(0.9)} lines, wanted less than 350`);
  });

  it("describe every export", () => {
    assert.deepEqual(undocumented("/** A. */\nexport const a = 1;\n\nexport function b() {}\n"), [
      { line: 4, name: "b" },
    ]);
    const missing = sources.flatMap(({ path, text }) =>
      undocumented(text).map(({ line, name }) => `${path}:${line}: ${name}`),
    );
    none(missing, "exports without a docstring right before them");
  });

  it("have their tests beside them", () => {
    const tests = all.filter(({ path }) => path.endsWith(".test.ts")).map(({ path }) => path);
    const subject = (path: string) => path.replace(/(\.[\w-]+)?\.test\.ts$/, "");
    const strays = tests.filter((path) => !byPath.has(`${subject(path)}.ts`) && !existsSync(join(ROOT, subject(path))));
    none(strays, "tests of what is not there: x.test.ts and x.aspect.test.ts test x.ts or the folder x");
    const stubs = globSync("src/**/__tests__", { cwd: ROOT });
    none(stubs, "folders of tests");
  });
});
