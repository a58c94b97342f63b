/** User-mode Linux: a kernel that is a program, on the host's own file system, read only. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { TIMEOUT } from "../testing/run-file.ts";
import { cached, downloadHere, Unavailable, unpack } from "./apt.ts";
import { bootVariables, type Guest, type Machine, type Running } from "./machine.ts";
import { loadOrder, WANTED } from "./modules.ts";
import { allowedProcessors } from "./processors.ts";

const PACKAGE = "user-mode-linux";
/** Where it is kept, without modules that nobody loads: another name when another one is {@link WANTED}. */
const KEPT = "user-mode-linux-8021q";

/** MiB: enough for all tests, too little for the one that wants too much. */
const MEMORY = 512;

/** A guest has one processor; more than two at a time gain nothing for this many files. */
const MOST_GUESTS = 2;

/** A third of the time, for what does not differ from any other 6.1. */
const RUNS_IN_QEMU = /netns\/dispatcher-(crash|doctor|load)\.test/;
/** Daemons by the dozen, which no kernel makes others; one runs here in vm/bakery-daemon, and what it hears in netlink-monitor. */
const STARTS_DAEMONS = "netns/daemon";

/**
 * Delays of milliseconds, on a processor whose turns take as long (what the kernel has to offer for it, icmp-socket asks),
 * and rates in Mbit/s, of which this guest carries only a few when the machine has other work.
 */
const MEASURES = /netns\/(autorate-(probe|bed|site)|site-traffic)\.test/;

/** Packets by the thousand, workers that have 10 s to be there, or a BPF program that is interpreted here. */
const COPIES =
  /netns\/relay(-(kernel|kernel-plane|kernel-rows|planes|rings|soak|topologies|traffic|user-load|volume|worker))?\.test/;

function leavesOut(file: string): string | undefined {
  if (MEASURES.test(file))
    return "it measures delays or rates, and this guest adds its own; icmp-socket and site-target run here";
  if (COPIES.test(file))
    return "it copies packets by the thousand, or starts workers, for which this guest is too slow; relay-user(-packets) run here";
  if (RUNS_IN_QEMU.test(file)) return "it starts many processes, and runs on 6.1 in QEMU";
  if (file.includes(STARTS_DAEMONS))
    return "it starts dozens of daemons; vm/bakery-daemon and netlink-monitor run here";
  return undefined;
}

/** The folder of modules below an unpacked package, `.../usr/lib/uml/modules/6.1.176`. */
function modulesFolder(unpacked: string): string {
  const parent = join(unpacked, "usr/lib/uml/modules");
  const [version] = readdirSync(parent);
  if (version === undefined) throw new Error(`Cannot find modules in ${parent}: it is empty`);
  return join(parent, version);
}

/** What the tests need. `configs` is /proc/config.gz, which feature probes read. */
function modulesOf(unpacked: string): string[] {
  const folder = modulesFolder(unpacked);
  const dep = readFileSync(join(folder, "modules.dep"), "utf8");
  return loadOrder(dep, ["configs", ...WANTED]).map((path) => join(folder, path));
}

/** Removes modules that nobody loads: nine tenths of the package. */
function prune(unpacked: string): void {
  const folder = modulesFolder(unpacked);
  const needed = new Set(modulesOf(unpacked));
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (name.endsWith(".ko") && !needed.has(path)) rmSync(path);
  }
}

function fetchPackage(work: string): void {
  downloadHere(work, PACKAGE);
  const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
  if (deb === undefined) throw new Unavailable(`apt-get download ${PACKAGE} left no package`);
  unpack(work, [join(work, deb)], join(work, "tree"));
  prune(join(work, "tree"));
}

function start(kernel: string, guest: Guest): Running {
  const { number, root, shared } = guest;
  const boot = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", `init="${join(root, "tools/vm/init.sh")}"`];
  // Only what ends a kernel is printed; the rest of the console is the runner's.
  const console = ["con=null", "con0=fd:0,fd:1", "loglevel=1"];
  const processors = allowedProcessors();
  // A guest and its processes take turns by ptrace: on one processor without waking another, which is several times faster.
  const pinned = ["-c", String(processors[number % processors.length]), join(kernel, "usr/bin/linux.uml")];
  const variables = bootVariables(guest, { SLUICE_TEST_EVERY: 8 });
  const machine = spawn("taskset", [...pinned, `mem=${MEMORY}M`, ...boot, ...variables, ...console], {
    // A process group of its own, so that all of it can be ended at once.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // It keeps its memory in TMPDIR and its management socket below HOME.
    env: { PATH: process.env["PATH"], HOME: shared, TMPDIR: shared },
  });
  return { machine, servers: [], leftovers: [] };
}

/** Debian's user-mode Linux, fetched the first time. @throws Unavailable when it cannot be had here */
export function userModeLinux(cache: string): Machine {
  const kernel = cached(cache, KEPT, fetchPackage);
  return {
    title: "user-mode",
    memory: MEMORY,
    keepsMemoryInFolder: true,
    guests: Math.min(MOST_GUESTS, availableParallelism()),
    pullsPlug: true,
    leavesOut,
    patience: TIMEOUT.native + 30_000,
    modules: modulesOf(kernel),
    start: (guest) => start(kernel, guest),
  };
}
