/**
 * Prints the installed packages that running needs, and none that only developing does: a line each, its folder from the
 * project's root, a tab, its licence. tools/build-deb puts them into the package.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A package as it lies in node_modules. */
export interface InstalledPackage {
  /** From the root, `node_modules/koffi`. */
  readonly folder: string;
  /** Its licence's name in SPDX. */
  readonly license: string;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** Where Node finds a package that another one asks for: in its own node_modules, or in one further out. */
function found(root: string, from: string, name: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(join(root, folder, "package.json"))) return folder;
    if (at === ".") return undefined;
  }
}

/**
 * The packages that those in `package.json` lead to, sorted. Optional ones that are not for this machine are left out.
 *
 * @throws Error when one that is needed is not installed
 */
export function productionPackages(root: string): InstalledPackage[] {
  const packages = new Map<string, InstalledPackage>();
  const visit = (from: string): void => {
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(join(root, from));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const folder = found(root, from, name);
      if (folder === undefined && Object.hasOwn(optionalDependencies, name)) continue;
      if (folder === undefined) throw new Error(`Cannot find the package ${name}: run npm ci in ${root}`);
      if (packages.has(folder)) continue;
      packages.set(folder, { folder, license: manifestOf(join(root, folder)).license ?? "unknown" });
      visit(folder);
    }
  };
  visit(".");
  return [...packages.values()].toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}

if (import.meta.main) {
  for (const { folder, license } of productionPackages(join(import.meta.dirname, ".."))) {
    console.log(`${folder}\t${license}`);
  }
}
