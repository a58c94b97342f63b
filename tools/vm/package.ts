/**
 * User-mode Linux from Debian's archive: a kernel that is a program. It is downloaded and unpacked into the checkout's
 * `.vm` folder with apt's and dpkg's own tools, which need no root for that.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { modulesFolder, modulesOf } from "./modules.ts";

const PACKAGE = "user-mode-linux";

/** Why there is no kernel to boot, for people. */
export class Unavailable extends Error {}

/** Runs a program quietly. @throws Unavailable with the last lines it wrote when it fails or is not there */
function run(cwd: string, program: string, words: readonly string[], options: readonly string[] = []): void {
  const { status, error, stderr, stdout } = spawnSync(program, [...options, ...words], { cwd, encoding: "utf8" });
  if (error) throw new Unavailable(`${program}: ${error.message}`);
  const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-2).join(" ");
  if (status !== 0) throw new Unavailable(`${program} ${words.join(" ")}: ${said}`);
}

/** Downloads by apt's lists; when they are missing or old, by lists of our own, which anybody may fetch. */
function download(folder: string): void {
  // Otherwise root's downloads are made by a user who may not be able to write here.
  const options = ["-qq", "-o", "APT::Sandbox::User=root"];
  try {
    run(folder, "apt-get", ["download", PACKAGE], options);
  } catch {
    for (const name of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, name), { recursive: true });
    for (const own of [
      `Dir::State::Lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      "Acquire::Languages=none",
      "APT::Update::Error-Mode=any",
    ])
      options.push("-o", own);
    run(folder, "apt-get", ["update"], options);
    run(folder, "apt-get", ["download", PACKAGE], options);
  }
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

/**
 * The folder with the unpacked kernel; fetches it the first time.
 *
 * @throws Unavailable when it cannot be had here
 */
export function userModeLinux(cache: string): string {
  const unpacked = join(cache, PACKAGE);
  if (existsSync(unpacked)) return unpacked;
  if (process.arch !== "x64") throw new Unavailable(`Debian has ${PACKAGE} for amd64, this machine is ${process.arch}`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    download(work);
    const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (deb === undefined) throw new Unavailable(`apt-get download ${PACKAGE} left no package`);
    run(work, "dpkg-deb", ["-x", deb, "tree"]);
    prune(join(work, "tree"));
    // Another run may have been faster.
    if (!existsSync(unpacked)) renameSync(join(work, "tree"), unpacked);
    return unpacked;
  } catch (error) {
    if (error instanceof Unavailable) {
      const remedy = `apt-get must reach Debian's archive, or unpack the package ${PACKAGE} to ${unpacked} with dpkg-deb -x`;
      throw new Unavailable(`Cannot fetch ${PACKAGE}: ${error.message}; ${remedy}`);
    }
    throw error;
  } finally {
    rmSync(work, { recursive: true });
  }
}
