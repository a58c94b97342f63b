/**
 * The Debian package: what is in it, and a whole life of it (installed, run, removed, installed again, purged) by the real
 * dpkg on a copy of this machine, which must be as before in the end.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { VERSION } from "../src/linux/version.ts";
import { readTable } from "../tools/command-line/table.ts";
import { MachineCopy } from "./helpers/machine-copy.ts";

const ROOT = join(import.meta.dirname, "..");
const UNIT = join(ROOT, "packaging/systemd/sluiced.service");

/** What dpkg itself and the programs it calls keep of everything: logs, caches, and the state before the last change. */
const KEPT = [
  /^\/var\/lib\/(dpkg|systemd)\//,
  /^\/var\/log\//,
  /^\/var\/cache\/man\//,
  /^\/etc\/((group|gshadow|subgid)-|\.pwd\.lock)$/,
];

const folder = mkdtempSync(join(tmpdir(), "sluice-deb-"));
after(() => rmSync(folder, { recursive: true }));

/** Builds it quickly rather than small; gives the folder that it is in. */
function build(name: string): string {
  const env = { ...process.env, DPKG_DEB_COMPRESSOR_TYPE: "none" };
  const output = join(folder, name);
  const { status, stdout, stderr } = spawnSync(join(ROOT, "tools/build-deb"), [output], { env, encoding: "utf8" });
  assert.deepEqual([status, stdout, stderr], [0, "", ""], "tools/build-deb has something to say");
  return output;
}

/** The only package in a folder. */
function packageIn(built: string): string {
  const names = readdirSync(built).filter((name) => name.endsWith(".deb"));
  assert.equal(names.length, 1);
  return join(built, names[0]!);
}

let first: string | undefined;
/** The package that most tests look at: the folder with it. */
const built = (): string => (first ??= build("first"));

const missing = (program: string): boolean => spawnSync(program, ["--version"]).error !== undefined;

/** Why no package can be built here. */
const unbuildable = missing("dpkg-deb") && "dpkg-deb is not installed";

/** Why it cannot be installed here, not even on a copy. */
function uninstallable(): string | false {
  if (unbuildable) return unbuildable;
  if (process.getuid?.() !== 0) return "mounting the copy of this machine needs root";
  const gone = ["unshare", "nsenter", "setpriv"].find(missing);
  if (gone !== undefined) return `${gone} is not installed`;
  const known = (name: string): boolean =>
    spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}", name], { encoding: "utf8" }).stdout.startsWith("ii");
  if (known("sluice")) return "sluice is installed here, so nothing can be told from what is left of it";
  const lacking = ["adduser", "iproute2", "libbpf1"].find((name) => !known(name));
  return lacking !== undefined && `the package ${lacking}, which it depends on, is not installed here`;
}

test("the package holds what runs and what explains it, and nothing of how it is made", { skip: unbuildable }, () => {
  const deb = packageIn(built());
  const ask = (...args: readonly string[]): string => execFileSync("dpkg-deb", args, { encoding: "utf8" });
  assert.equal(ask("--field", deb, "Package", "Version"), `Package: sluice\nVersion: ${VERSION.replace("-", "~")}\n`);
  assert.match(ask("--field", deb, "Depends"), /\biproute2, libbpf1,/);
  assert.match(ask("--info", deb), /\d+ bytes, +1 lines +conffiles/);

  const rows = ask("--contents", deb).trimEnd().split("\n");
  const paths = rows.map((row) => row.replace(/^(\S+\s+){5}\.?/, ""));
  for (const wanted of [
    "/etc/sluice/sluice.toml",
    "/usr/bin/sluice -> ../lib/sluice/bin/sluice",
    "/usr/sbin/sluiced -> ../lib/sluice/bin/sluiced",
    "/usr/lib/sluice/package.json",
    "/usr/lib/sluice/src/cli/main.ts",
    "/usr/lib/sluice/src/daemon/main.ts",
    "/usr/lib/sluice/tools/with-node",
    "/usr/lib/systemd/system/sluiced.service",
    "/usr/share/bash-completion/completions/sluice",
    "/usr/share/doc/sluice/changelog.gz",
    "/usr/share/doc/sluice/copyright",
    "/usr/share/fish/vendor_completions.d/sluice.fish",
    "/usr/share/man/man1/sluice.1.gz",
    "/usr/share/man/man5/sluice.toml.5.gz",
    "/usr/share/man/man8/sluiced.8.gz",
    "/usr/share/zsh/vendor-completions/_sluice",
    "/usr/lib/sluice/node_modules/wasmoon-lua5.1/LICENSE",
    "/usr/lib/sluice/node_modules/wasmoon-lua5.1/dist/liblua5.1.wasm",
    "/usr/lib/sluice/src/autorate/lua/engine/host.lua",
    "/usr/share/doc/sluice/autorate-lua.md",
    ...globSync("lua/*/*.lua", { cwd: ROOT }).map((script) => `/usr/lib/sluice/${script}`),
    ...readdirSync(join(ROOT, "bpf")).flatMap((name) => (name.endsWith(".o") ? [`/usr/lib/sluice/bpf/${name}`] : [])),
  ]) {
    assert.ok(paths.includes(wanted), `${wanted} is left out`);
  }
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const unwanted = [
    /\.test\.ts$/,
    /\.d\.[cm]?ts$/,
    ...Object.keys(devDependencies).map((name) => new RegExp(`/node_modules/${name}/`)),
  ];
  assert.deepEqual(
    paths.filter((path) => unwanted.some((pattern) => pattern.test(path))),
    [],
  );
  const ours = /^(d|-)rw(x|-)r-(x|-)r-\3 root\/root |^lrwxrwxrwx root\/root /;
  assert.deepEqual(
    rows.filter((row) => !ours.test(row)),
    [],
    "owners and modes",
  );

  const hash = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
  assert.equal(hash(packageIn(build("second"))), hash(deb), "the same sources make the same package");
});

/** What the unit lets root do, as setpriv(1) writes it. */
function boundingSet(): string {
  const [, names = ""] = /^CapabilityBoundingSet=(.+)$/m.exec(readFileSync(UNIT, "utf8")) ?? [];
  assert.notEqual(names, "");
  return ["-all", ...names.split(" ").map((name) => `+${name.replace("CAP_", "").toLowerCase()}`)].join(",");
}

/**
 * Starts the installed daemon as its unit does, with no more rights, waits for its first answer, and stops it. Between the
 * two the daemon's answers to the commands that come with it can be looked at.
 */
async function withDaemon(copy: MachineCopy, body: () => void): Promise<void> {
  const start = `echo $$ >/run/sluiced.pid; exec setpriv --bounding-set=${boundingSet()} --no-new-privs /usr/sbin/sluiced`;
  const daemon = copy.start("sh", "-c", start);
  let said = "";
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(daemon, "exit");
  try {
    const listening = "until [ -S /run/sluice/sluice.sock ]; do sleep 0.05; done";
    assert.equal(copy.run("timeout", "20", "sh", "-c", listening).status, 0, `the daemon does not listen: ${said}`);
    body();
  } finally {
    copy.run("sh", "-c", "kill -TERM $(cat /run/sluiced.pid)");
  }
  assert.deepEqual(await ended, [0, null], said);
}

test(
  "on a copy of this machine it is installed, runs, and is gone after a purge",
  { skip: uninstallable() },
  async (t) => {
    const share = built();
    cpSync(join(ROOT, "examples/isp"), join(share, "isp"), { recursive: true });
    let copy: MachineCopy;
    try {
      copy = await MachineCopy.open({ share, hide: ROOT });
    } catch (error) {
      t.skip(`this machine cannot be copied: ${(error as Error).message}`);
      return;
    }
    await using _ = copy;
    const succeed = (command: string): string => {
      const { status, output } = copy.run("sh", "-c", command);
      assert.equal(status, 0, `${command}: ${output}`);
      return output;
    };
    const install = "dpkg --force-unsafe-io --install /mnt/*.deb";
    assert.deepEqual(copy.changes(), { added: [], removed: [], changed: [] }, "the copy is not one to begin with");
    // The index of the manual takes seconds each time, and says nothing of the package.
    succeed("[ ! -e /usr/bin/mandb ] || mount --bind /bin/true /usr/bin/mandb");
    succeed(install);

    await t.test("sluice and sluiced run without the sources", () => {
      assert.match(succeed("sluice --help"), new RegExp(readTable().root.brief));
      assert.equal(succeed("sluiced --version"), `${VERSION}\n`);
      if (readTable().root.flags.some(({ name }) => name === "version"))
        assert.equal(succeed("sluice --version"), `${VERSION}\n`);
      assert.match(succeed("sluice check --config /mnt/isp/sluice.toml"), /^ok: /);
    });

    await t.test("a Lua script that comes with it runs", () => {
      const program = [
        `const { Plugins } = await import("/usr/lib/sluice/src/autorate/lua/plugins.ts")`,
        `const paths = ["/usr/lib/sluice/lua/plugins/pretty_speeds.lua"]`,
        `const plugins = await Plugins.open(paths, { sections: {} }, { random: Math.random, limits: { deadline: 9000 } })`,
        `console.log((await plugins.process({ next_dl_rate: 1500, next_ul_rate: 900 })).rates.download)`,
        `await plugins[Symbol.asyncDispose]()`,
      ].join(";");
      assert.equal(succeed(`/usr/lib/sluice/tools/with-node node --input-type=module --eval '${program}'`), "2000\n");
    });

    await t.test("the group is there", () => {
      assert.match(succeed("getent group sluice"), /^sluice:/);
    });

    await t.test("the configuration is all comments, and what they say can be used", () => {
      assert.equal(succeed("grep -v '^#' /etc/sluice/sluice.toml | tr -d '\\n'"), "");
      succeed("cp -R /mnt/isp /tmp/isp && sed -E 's/^#([^ #])/\\1/' /etc/sluice/sluice.toml >/tmp/isp/sluice.toml");
      assert.match(succeed("sluice check --config /tmp/isp/sluice.toml"), /^ok: /);
    });

    await t.test(
      "systemd can read the unit",
      { skip: missing("systemd-analyze") && "systemd is not installed" },
      () => {
        const later = /Unknown key(?: name)? 'Restart(?:Steps|MaxDelaySec)'/;
        const said = succeed("systemd-analyze verify --man=no sluiced.service").trim().split("\n");
        assert.deepEqual(
          said.filter((line) => line !== "" && !later.test(line) && line.includes("sluiced")),
          [],
        );
      },
    );

    await t.test("the daemon starts with the rights of its unit, answers, and stops", () =>
      withDaemon(copy, () => {
        assert.match(succeed("sluice status"), new RegExp(`Version: +${VERSION}`));
        assert.equal(succeed("stat -c '%U:%G %a' /run/sluice/sluice.sock"), "root:sluice 660\n");
      }),
    );

    await t.test("removed, it keeps what was set and stored, and says what stays in the kernel", () => {
      succeed("mkdir -p /var/lib/sluice && touch /var/lib/sluice/state.db");
      assert.match(succeed("dpkg --force-unsafe-io --remove sluice"), /sluice cleanup/);
      assert.equal(succeed("ls /usr/lib/sluice /usr/bin/sluice 2>&1 || true").match(/No such file/g)?.length, 2);
      succeed("test -e /etc/sluice/sluice.toml && test -e /var/lib/sluice/state.db && getent group sluice");
    });

    await t.test("installed again and over itself, it is as it was", () => {
      succeed("echo '# by hand' >>/etc/sluice/sluice.toml");
      succeed(`${install} && ${install}`);
      succeed("grep -q 'by hand' /etc/sluice/sluice.toml && test -x /usr/lib/sluice/bin/sluice");
    });

    await t.test("purged, it leaves the machine as it was", () => {
      succeed("dpkg --force-unsafe-io --purge sluice");
      succeed("test ! -e /run/sluice");
      const { added, removed, changed } = copy.changes();
      const ours = (paths: readonly string[]): string[] =>
        paths.filter((path) => !KEPT.some((kept) => kept.test(path)));
      assert.deepEqual([ours(added), ours(removed), ours(changed)], [[], [], []]);
      assert.equal(succeed("dpkg --status sluice 2>/dev/null || true"), "");
    });
  },
);
