/** The kernel modules that the guest needs: which, in which order, and loading them. */
import { ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { errno, loadLibrary } from "../../src/linux/ffi.ts";

/** What the tests use, without what these depend on. */
export const WANTED: readonly string[] = [
  "ipv6",
  "veth",
  "ifb",
  "tun",
  "8021q",
  "sch_htb",
  "sch_cake",
  "sch_fq_codel",
  "sch_tbf",
  "sch_netem",
  "sch_ingress",
  "cls_bpf",
  "cls_u32",
  "act_mirred",
];

/** finit_module(2) on x86-64, the one architecture that guests have. */
const SYS_FINIT_MODULE = 313;

/** The kernel is to decompress the file (MODULE_INIT_COMPRESSED_FILE). */
const COMPRESSED = 4;

const nameOf = (path: string): string => path.replace(/^.*\//, "").replace(/\.ko(\.xz)?$/, "");

/**
 * The paths of these modules and of all they depend on, each after what it needs.
 *
 * @param dep content of modules.dep: `path.ko: path.ko ...` per line, dependencies of dependencies included
 * @throws Error when a module is not in it
 */
export function loadOrder(dep: string, wanted: readonly string[]): string[] {
  const needs = new Map<string, readonly string[]>();
  const paths = new Map<string, string>();
  for (const [, path, rest] of dep.matchAll(/^(\S+):(.*)$/gm)) {
    needs.set(path!, rest!.split(" ").filter(Boolean));
    paths.set(nameOf(path!), path!);
  }
  const order = new Set<string>();
  const add = (path: string): void => {
    needs.get(path)?.forEach(add);
    order.add(path);
  };
  for (const name of wanted) {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`The kernel package has no module ${name}`);
    add(path);
  }
  return [...order];
}

/** Whether a kernel has a module in itself. @param list content of modules.builtin: `kernel/fs/fuse/fuse.ko` per line */
export const isBuiltIn = (list: string, name: string): boolean =>
  list.split("\n").some((path) => nameOf(path) === name);

/** Loads modules into the running kernel, in this order; one that is loaded already is passed over. */
export function loadModules(paths: readonly string[]): void {
  const finitModule = loadLibrary("libc.so.6").func(
    "long syscall(long nr, int fd, const char *parameters, int flags)",
  ) as (number: number, fd: number, parameters: string, flags: number) => number;
  for (const path of paths) {
    using file = Fd.open(path);
    const flags = path.endsWith(".xz") ? COMPRESSED : 0;
    if (finitModule(SYS_FINIT_MODULE, file.number, "", flags) === 0 || errno() === ERRNO.EEXIST) continue;
    throw new SystemError(`load module ${nameOf(path)}`, errno());
  }
}
