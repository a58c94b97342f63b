/**
 * QEMU with Debian's cloud kernels, every instruction emulated: several processors, BPF's compiler, BTF, extensions and
 * TCX, none of which user-mode Linux has. The root file system is the host's, read only, by virtio-fs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { TIMEOUT } from "../testing/run-file.ts";
import { Bookworm, cached, run, Unavailable, unpack } from "./apt.ts";
import { atExit } from "./at-exit.ts";
import { killGroup } from "./boot.ts";
import { encodeCpio } from "./cpio.ts";
import { quoted } from "./job.ts";
import { bootVariables, type Guest, type Machine, type Running } from "./machine.ts";
import { isBuiltIn, loadOrder, WANTED } from "./modules.ts";

const EMULATOR = "qemu-bookworm";
const PACKAGES = ["qemu-system-x86", "busybox-static", "kmod"];

/** Of which the newest that bookworm and its backports have is taken. */
const RELEASES = ["6.1", "6.12"] as const;

const MEMORY = 1536;
const PROCESSORS = 2;

/** Test files that would take most of the time. */
const STARTS_MANY = /(netns\/(cli|crash|shaper-random|daemon(-\w+)?)|vm\/bakery-daemon)\.test/;
/** And those that user-mode Linux, of the same release, has all for. */
const RELEASE_OF_USER_MODE = "6.1";
const WANTS_LITTLE = /netns\/(netlink|libreqos|shaper-neighbours|autorate|site|icmp)|^test\/vm\//;
/** Rates and delays, where a packet takes a thousand times as long as anywhere else. */
const MEASURES = /netns\/(autorate-(probe|bed|site)|site-traffic)\.test/;

/** Many packets, or processes for them. */
const COPIES =
  /netns\/relay(-(gro|planes|rings|soak|topologies|traffic|user|user-load|user-packets|volume|worker))?\.test/;

/** What asks the same of both kernels, and takes long: on each a half of it. */
const OLDER_ONLY = /netns\/(dispatcher-(load|doctor|tc|places)\.|shaper-neighbours|autorate|site)/;
const NEWER_ONLY =
  /netns\/(dispatcher-(crash|engines)|shaper|classifier(-lifecycle)?|bakery|relay-(facts|joins|kernel-plane))\.test/;

/** Why a kernel need not run a test file: each instruction is emulated, and that takes its time. */
function leavesOut(release: string, file: string): string | undefined {
  if (MEASURES.test(file)) return "it measures rates and delays, and each instruction is emulated";
  if (STARTS_MANY.test(file)) return "emulated, what starts hundreds of processes takes too long: see user-mode Linux";
  if (COPIES.test(file))
    return "it copies many packets, and each instruction is emulated; relay-user(-packets) run in user-mode Linux";
  const older = release === RELEASE_OF_USER_MODE;
  if (older && WANTS_LITTLE.test(file)) return "user-mode Linux runs it on the same release, and has all that it needs";
  if (older && NEWER_ONLY.test(file)) return "it runs on 6.12, and would take its time";
  if (!older && OLDER_ONLY.test(file)) return "it runs on 6.1, and would take its time";
  return undefined;
}

/** A program of the unpacked tree, with its own C library: what loads it, and its first words. */
function programIn(tree: string, path: string): [loader: string, command: string[]] {
  const libraries = ["lib", "usr/lib", "usr/lib/x86_64-linux-gnu/pulseaudio"].map((folder) =>
    folder.includes("/x86") ? join(tree, folder) : join(tree, folder, "x86_64-linux-gnu"),
  );
  const loader = join(tree, "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  return [loader, ["--library-path", libraries.join(":"), join(tree, path)]];
}

function fetchEmulator(work: string): void {
  const tree = join(work, "tree");
  unpack(work, new Bookworm(work).downloadAll(PACKAGES), tree);
  for (const folder of ["usr/share/doc", "usr/share/man", "usr/share/locale", "var"])
    rmSync(join(tree, folder), { recursive: true, force: true });
}

function fetchKernel(work: string, release: string, emulator: string): void {
  const archive = new Bookworm(work);
  const images = archive.dependencies("linux-image-cloud-amd64").flatMap((text) => /linux-image-\S+/.exec(text) ?? []);
  const image = images.find((name) => name.startsWith(`linux-image-${release}.`));
  if (image === undefined) throw new Unavailable(`bookworm has no kernel ${release}, only ${images.join(", ")}`);
  const tree = join(work, "tree");
  unpack(work, [archive.download(image)], tree);
  // It acts by the name it is called by.
  const [loader, command] = programIn(emulator, "bin/kmod");
  run(work, loader, ["--argv0", "depmod", ...command, "-b", tree, versionOf(tree)]);
}

/** `6.1.0-56-cloud-amd64` */
const versionOf = (kernel: string): string => readdirSync(join(kernel, "lib/modules"))[0]!;

function modulesOf(kernel: string, wanted: readonly string[]): string[] {
  const folder = join(kernel, "lib/modules", versionOf(kernel));
  const builtIn = readFileSync(join(folder, "modules.builtin"), "utf8");
  const loadable = wanted.filter((name) => !isBuiltIn(builtIn, name));
  const dep = readFileSync(join(folder, "modules.dep"), "utf8");
  return loadOrder(dep, loadable).map((path) => join(folder, path));
}

/** What a kernel needs to see its root file system, as its first file system; nothing when it needs nothing. */
function firstFileSystem(kernel: string, emulator: string, init: string): Buffer | undefined {
  const modules = modulesOf(kernel, ["virtio_pci", "virtiofs"]);
  if (modules.length === 0) return undefined;
  const script = [
    "#!/bin/busybox sh",
    ...modules.map((_, i) => `/bin/busybox insmod /m/${i}.ko`),
    "/bin/busybox mount -t virtiofs -o ro root /root",
    `exec /bin/busybox switch_root /root ${quoted(init)}`,
  ];
  return encodeCpio([
    ...["bin", "m", "root"].map((name) => ({ name })),
    { name: "bin/busybox", content: readFileSync(join(emulator, "bin/busybox")), executable: true },
    ...modules.map((path, i) => ({ name: `m/${i}.ko`, content: readFileSync(path) })),
    { name: "init", content: Buffer.from(`${script.join("\n")}\n`), executable: true },
  ]);
}

/** Milliseconds until a server must be ready. */
const READY = 30_000;

/** Serves a folder of the host to a guest; resolves when it is ready for it. */
async function serve(emulator: string, source: string, socket: string, cache: string): Promise<ChildProcess> {
  const [loader, command] = programIn(emulator, "usr/lib/qemu/virtiofsd");
  const options = [`source=${source}`, `cache=${cache}`, "log_level=err", "sandbox=chroot"];
  const server = spawn(
    loader,
    [...command, `--socket-path=${socket}`, ...options.flatMap((option) => ["-o", option])],
    {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let failure: string | undefined;
  server.on("error", ({ message }) => (failure = message));
  server.on("exit", (code, signal) => (failure = `it ended with ${signal ?? code}`));
  for (let waited = 0; !existsSync(socket); waited += 20) {
    if (waited > READY) failure ??= "it was not ready in time";
    if (failure !== undefined) {
      killGroup(server);
      throw new Error(`Cannot serve ${source} to a guest: ${failure}`);
    }
    await setTimeout(20);
  }
  return server;
}

/** The file that a server keeps for its socket, and leaves. */
const pidFile = (socket: string): string => `/run/virtiofsd/${socket.replaceAll("/", ".")}.pid`;

/** The words of a command line none of which has a space in it. */
const words = (line: string): string[] => line.split(" ");

/** QEMU takes a comma in a value doubled. */
const value = (path: string): string => path.replaceAll(",", ",,");

async function start(kernel: string, emulator: string, guest: Guest): Promise<Running> {
  const { root, shared } = guest;
  const version = versionOf(kernel);
  const init = join(root, "tools/vm/init.sh");
  const sockets = { root: join(shared, "root.sock"), shared: join(shared, "shared.sock") };
  const first = firstFileSystem(kernel, emulator, init);
  const firstFile = join(shared, "initrd");
  if (first) writeFileSync(firstFile, first);
  const servers: ChildProcess[] = [];
  const stop = () => servers.forEach(killGroup);
  using _ended = atExit(stop);
  try {
    servers.push(await serve(emulator, "/", sockets.root, "always"));
    servers.push(await serve(emulator, shared, sockets.shared, "none"));
  } catch (error) {
    stop();
    throw error;
  }
  const share = (tag: "root" | "shared"): string[] =>
    ["-chardev", `socket,id=${tag},path=${value(sockets[tag])}`].concat(
      words(`-device vhost-user-fs-pci,chardev=${tag},tag=${tag}`),
    );
  const variables = bootVariables(
    { ...guest, shared: "shared" },
    { config: join(kernel, "boot", `config-${version}`), SLUICE_TEST_EVERY: 24, SLUICE_TEST_EMULATED: 1 },
  );
  const boot = `console=ttyS0 quiet panic=-1 net.ifnames=0 root=root rootfstype=virtiofs ro init="${init}"`;
  const [loader, command] = programIn(emulator, "usr/bin/qemu-system-x86_64");
  const options = [
    "-L",
    join(emulator, "usr/share/qemu"),
    "-L",
    join(emulator, "usr/share/seabios"),
    // Newer processors than this one have instructions that this emulator gets wrong.
    ...words(`-accel tcg,thread=multi,tb-size=1024 -M q35 -cpu Westmere,-cx16 -smp ${PROCESSORS}`),
    // virtio-fs wants memory that its servers can see.
    ...words(`-m ${MEMORY} -numa node,memdev=m -object memory-backend-memfd,id=m,size=${MEMORY}M,share=on`),
    ...words("-nodefaults -no-reboot -display none -serial stdio"),
    ...share("root"),
    ...share("shared"),
    ...(first ? ["-initrd", firstFile] : []),
    "-kernel",
    join(kernel, "boot", `vmlinuz-${version}`),
    "-append",
    [boot, ...variables].join(" "),
  ];
  const machine = spawn(loader, [...command, ...options], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, QEMU_MODULE_DIR: join(emulator, "usr/lib/x86_64-linux-gnu/qemu") },
  });
  return { machine, servers, leftovers: Object.values(sockets).map(pidFile) };
}

/** One machine for each kernel, all fetched the first time. @throws Unavailable when they cannot be had here */
export function emulatedMachines(cache: string): Machine[] {
  if (process.geteuid?.() !== 0) throw new Unavailable("QEMU's server of virtio-fs needs root: run it as root");
  const emulator = cached(cache, EMULATOR, fetchEmulator);
  return RELEASES.map((release) => {
    const kernel = cached(cache, `linux-${release}`, (work) => fetchKernel(work, release, emulator));
    return {
      title: "QEMU",
      label: release,
      memory: MEMORY,
      keepsMemoryInFolder: false,
      guests: 1,
      pullsPlug: false,
      patience: TIMEOUT.emulated + 60_000,
      leavesOut: (file) => leavesOut(release, file),
      modules: modulesOf(kernel, WANTED),
      start: (guest) => start(kernel, emulator, guest),
    };
  });
}
