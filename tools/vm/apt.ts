/** Packages of Debian's archive, downloaded and unpacked by apt's and dpkg's own tools, which need no root for that. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why there is no kernel to boot, for people. */
export class Unavailable extends Error {}

/** Runs a program and gives what it printed. @throws Unavailable with the last lines it wrote when it fails or is not there */
export function run(cwd: string, program: string, words: readonly string[]): string {
  const { status, signal, error, stderr, stdout } = spawnSync(program, words, { cwd, encoding: "utf8" });
  if (signal) throw new Error(`${program} was ended by ${signal}`);
  if (error) throw new Unavailable(`${program}: ${error.message}`);
  const said = `${stdout}\n${stderr}`.trim().split(/\n+/).slice(-2).join(" ");
  if (status !== 0) throw new Unavailable(`${program} ${words.at(-1) ?? ""}: ${said}`);
  return stdout;
}

const options = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ["-o", `${name}=${value}`]);

/** Root's downloads are otherwise made by a user who may not be able to write here. */
const AS_ME = { "APT::Sandbox::User": "root", "Acquire::Languages": "none", "APT::Update::Error-Mode": "any" };

/** Keeps apt's lists and what it downloads in a folder, which anybody may do. */
function ownPlaces(folder: string): Record<string, string> {
  for (const name of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, name), { recursive: true });
  return { ...AS_ME, "Dir::State::Lists": join(folder, "lists"), "Dir::Cache": join(folder, "cache") };
}

/** Downloads a package of this machine's own distribution, by its lists; when they are missing or old, by lists of our own. */
export function downloadHere(folder: string, name: string): void {
  const download = (values: Readonly<Record<string, string>>): string =>
    run(folder, "apt-get", ["-qq", ...options(values), "download", name]);
  try {
    download(AS_ME);
  } catch {
    const places = ownPlaces(folder);
    run(folder, "apt-get", ["-qq", ...options(places), "update"]);
    download(places);
  }
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SOURCES = ["debian bookworm", "debian-security bookworm-security", "debian bookworm-backports"];

/**
 * Debian 12 with backports as apt sees it from outside: this machine, whatever it runs, has nothing of it installed. So
 * what is downloaded stands for itself.
 */
export class Bookworm {
  readonly #folder: string;
  readonly #options: readonly string[];

  /** Fetches its lists. @throws Unavailable when it cannot be reached, or its keys are not here */
  constructor(folder: string) {
    if (!existsSync(KEYRING)) throw new Unavailable(`${KEYRING} is missing: install debian-archive-keyring first`);
    this.#folder = folder;
    const file = join(folder, "sources.list");
    const lines = SOURCES.map((source) => `deb [signed-by=${KEYRING}] http://deb.debian.org/${source} main\n`);
    writeFileSync(file, lines.join(""));
    writeFileSync(join(folder, "status"), "");
    this.#options = options({
      ...ownPlaces(folder),
      "Dir::Etc::SourceList": file,
      "Dir::Etc::SourceParts": "/dev/null",
      "Dir::Etc::Preferences": "/dev/null",
      "Dir::Etc::PreferencesParts": "/dev/null",
      "Dir::State::Status": join(folder, "status"),
      "APT::Architecture": "amd64",
      "APT::Architectures": "amd64",
      "Debug::NoLocking": "true",
    });
    run(folder, "apt-get", ["-qq", ...this.#options, "update"]);
  }

  /** Downloads packages with all that they need; paths of the files. */
  downloadAll(names: readonly string[]): string[] {
    const words = ["--download-only", "--no-install-recommends", "--yes", "install", ...names];
    run(this.#folder, "apt-get", ["-qq", ...this.#options, ...words]);
    const archives = join(this.#folder, "cache/archives");
    return readdirSync(archives)
      .filter((name) => name.endsWith(".deb"))
      .map((name) => join(archives, name));
  }

  /** Downloads one package alone; the path of the file. */
  download(name: string): string {
    const folder = mkdtempSync(join(this.#folder, "one-"));
    run(folder, "apt-get", ["-qq", ...this.#options, "download", name]);
    return join(folder, readdirSync(folder)[0]!);
  }

  /** What each version of a package depends on, newest first. */
  dependencies(name: string): string[] {
    const text = run(this.#folder, "apt-cache", [...this.#options, "show", name]);
    return [...text.matchAll(/^Depends: (.*)$/gm)].map(([, depends]) => depends!);
  }
}

/** Unpacks package files into a folder. */
export function unpack(work: string, files: readonly string[], folder: string): void {
  for (const file of files) run(work, "dpkg-deb", ["-x", file, folder]);
}

/**
 * A folder below the cache with something that is fetched the first time.
 *
 * @param fetch makes the folder `tree` in the folder it is given
 * @throws Unavailable when it cannot be had here
 */
export function cached(cache: string, name: string, fetch: (work: string) => void): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  if (process.arch !== "x64") throw new Unavailable(`Debian has ${name} for amd64, this machine is ${process.arch}`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    fetch(work);
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(join(work, "tree"), folder);
    return folder;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    throw new Unavailable(
      `Cannot fetch ${name}: ${error.message}; apt-get must reach Debian's archive at deb.debian.org`,
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}
