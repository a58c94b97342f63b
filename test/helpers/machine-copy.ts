/**
 * A copy of this machine that can be changed at will: its files are an overlay whose changes are kept in memory, and it
 * has its own mounts, processes and network. All of it is gone with the process that holds it, also after kill -9.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/**
 * Run by the first process of the copy, with the folder to mount on, the one to share and the one to hide. Until it has
 * its own /proc it sees this machine's, and there its number by which others can enter. It ends with its stdin.
 */
const HOLDER = `
set -e
base=$1
read -r pid rest </proc/self/stat
mount -t tmpfs -o mode=0755 sluice "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
cd "$base/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t bpf bpf sys/fs/bpf
mount --rbind /dev dev
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$2" mnt
[ ! -d ".$3" ] || mount -t tmpfs -o mode=0755 tmpfs ".$3"
echo "$pid"
read -r rest || true
`;

/** What commands in the copy have, and nothing of this process'. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LC_ALL: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
};

/** What a command did. */
export interface Ran {
  readonly status: number | null;
  /** Both of its outputs. */
  readonly output: string;
}

/** How the copy's files differ from the machine's, as absolute paths, sorted. */
export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

const bytes = (path: string): Buffer | undefined => (lstatSync(path).isFile() ? readFileSync(path) : undefined);

/** A file that is not there any more is a device 0, 0 in an overlay. */
const isWhiteout = (path: string): boolean => {
  const stat = lstatSync(path);
  return stat.isCharacterDevice() && stat.rdev === 0;
};

/** The copy. */
export class MachineCopy implements AsyncDisposable {
  readonly #holder: ChildProcess;
  readonly #base: string;
  readonly #pid: string;

  private constructor(holder: ChildProcess, base: string, pid: string) {
    this.#holder = holder;
    this.#base = base;
    this.#pid = pid;
  }

  /**
   * Makes a copy. `share` is the folder that it finds at /mnt, `hide` one that is empty in it.
   *
   * @throws Error with what the system said when it cannot be made here
   */
  static async open({ share, hide }: { readonly share: string; readonly hide: string }): Promise<MachineCopy> {
    const base = mkdtempSync(join(tmpdir(), "sluice-copy-"));
    const holder = spawn(
      "unshare",
      ["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", HOLDER, "sh", base, share, hide],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    let [said, complaint] = ["", ""];
    holder.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    holder.on("error", (error) => (complaint += error.message));
    for await (const chunk of holder.stdout) {
      said += String(chunk);
      if (said.includes("\n")) return new MachineCopy(holder, base, said.trim());
    }
    rmdirSync(base);
    throw new Error(complaint.trim() || "unshare ended without a word");
  }

  /** A command as one that enters the copy first. */
  #entering(command: readonly string[]): [file: string, args: string[]] {
    const enter = [`--target=${this.#pid}`, "--mount", "--net", "--pid"];
    return ["nsenter", [...enter, "chroot", join(this.#base, "root"), ...command]];
  }

  /** Runs a command in the copy to its end. */
  run(...command: readonly string[]): Ran {
    const [file, args] = this.#entering(command);
    const options = { env: ENVIRONMENT, encoding: "utf8", timeout: 60_000 } as const;
    const { status, stdout, stderr, error } = spawnSync(file, args, options);
    return { status, output: error ? error.message : `${stdout}${stderr}` };
  }

  /** Starts a command in the copy, which ends with it at the latest. Signals reach what enters, not the command. */
  start(...command: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const [file, args] = this.#entering(command);
    return spawn(file, args, { env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Looks at every file that was touched, but for those in memory (/run, /tmp). */
  changes(): Changes {
    const upper = join("/proc", this.#pid, "root", this.#base, "upper");
    const [added, removed, changed]: [string[], string[], string[]] = [[], [], []];
    const look = (folder: string): void => {
      for (const name of readdirSync(join(upper, folder)).toSorted()) {
        const path = join(folder, name);
        const now = join(upper, path);
        const before = lstatSync(path, { throwIfNoEntry: false });
        const folderNow = lstatSync(now).isDirectory();
        if (isWhiteout(now)) removed.push(path);
        else if (!before) added.push(path);
        else if (!folderNow && bytes(now)?.equals(bytes(path) ?? Buffer.of()) !== true) changed.push(path);
        if (folderNow) look(path);
      }
    };
    look("/");
    return { added, removed, changed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    await ended;
    rmdirSync(this.#base);
  }
}
