/**
 * A place for tests of the dispatcher: a namespace with two veth pairs (d0 - d1, e0 - e1), and an installation of its own:
 * store, lock and pins below a temporary folder. Everything is gone when it is disposed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ip } from "../../demo/lab.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Layout, U32 } from "../../src/core/layout.ts";
import { Dispatcher, type DispatcherPlace } from "../../src/dispatcher/dispatcher.ts";
import { examine } from "../../src/dispatcher/doctor.ts";
import {
  attachToDispatcher,
  detachLinks,
  loadPrograms,
  readObjectFile,
  unloadPrograms,
} from "../../src/dispatcher/manage.ts";
import {
  type DispatcherRecord,
  type EngineName,
  type HookName,
  keyText,
  type MemberLink,
  membersOf,
  type ProgramRecord,
  type ProgramType,
} from "../../src/dispatcher/model.ts";
import { mapPin } from "../../src/dispatcher/paths.ts";
import type { LoadRequest } from "../../src/dispatcher/plan/load.ts";
import { programIds } from "../../src/linux/bpf/ids.ts";
import { openProgramById, programInfo } from "../../src/linux/bpf/info.ts";
import { BpfMap } from "../../src/linux/bpf/map.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { umount2 } from "../../src/linux/ffi.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { ethernet, ipv4 } from "../../src/linux/packet/frame.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { type Paths, pathsBelow } from "../../src/linux/paths.ts";

const U64: Layout<number> = {
  size: 8,
  write: (buffer, offset, value) => void buffer.writeBigUInt64LE(BigInt(value), offset),
  read: (buffer, offset) => Number(buffer.readBigUInt64LE(offset)),
};

/** The folder of the objects that tests load. */
export const OBJECTS = join(import.meta.dirname, "../bpf");

/** What {@link DispatcherLab.attach} may be told. */
export interface AttachOptions {
  /** Default 50. */
  readonly priority?: number;
  /** Verdict codes; the default of the hook when left out. */
  readonly proceedOn?: readonly number[];
  /** Default d0. */
  readonly device?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly engine?: EngineName;
  readonly tcHook?: "clsact" | "tcx";
}

/** The place. */
export class DispatcherLab implements Disposable {
  readonly ns = Netns.create();
  readonly root: string;
  readonly paths: Paths;
  readonly #keepsRoot: boolean;
  #dispatcher: Dispatcher;
  readonly #options: Partial<DispatcherPlace>;

  /**
   * @param options where the dispatcher shall differ from the usual: engine, fault points, time to wait for the lock
   * @param root a folder that is there and stays; otherwise one of its own goes with it
   */
  constructor(options: Partial<DispatcherPlace> = {}, root?: string) {
    this.#options = options;
    this.root = root ?? mkdtempSync(join(tmpdir(), "sluice-dispatcher-"));
    this.#keepsRoot = root !== undefined;
    this.paths = pathsBelow(this.root);
    this.#dispatcher = this.#open();
    // No router solicitations among the packets that are counted.
    const ipv6 = (which: string): string => `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`;
    this.ns.run(() =>
      ["all", "default"]
        .map(ipv6)
        .filter(existsSync)
        .forEach((file) => writeFileSync(file, "1")),
    );
    ip(this.ns, [
      ...["d", "e"].map((pair) => `link add ${pair}0 type veth peer name ${pair}1`),
      ...["lo", "d0", "d1", "e0", "e1"].map((device) => `link set ${device} up`),
    ]);
  }

  #open(): Dispatcher {
    return new Dispatcher({ paths: this.paths, clock: systemClock, ...this.#options });
  }

  /** The dispatcher under test. */
  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /** Ends the one under test and begins another, which knows only what was kept: as another process would. */
  restart(): void {
    this.#dispatcher[Symbol.dispose]();
    this.#dispatcher = this.#open();
  }

  /** Runs a shell command in the namespace; fails when it fails. */
  sh(command: string): string {
    const done = this.ns.run(() => spawnSync("sh", ["-c", command], { encoding: "utf8" }));
    assert.equal(done.status, 0, `${command}: ${done.stderr}`);
    return done.stdout;
  }

  /** Runs the command line on this installation; nothing is asserted of how it ends. */
  sluice(...words: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const main = join(import.meta.dirname, "../../src/cli/main.ts");
    const env = { ...process.env, SLUICE_ROOT: this.root, NO_COLOR: "1" };
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8", env });
    return { status, stdout, stderr };
  }

  /** Loads one program of an object in test/bpf, `xdp-members`. */
  async load(object: string, type: ProgramType, name: string, more: Partial<LoadRequest> = {}): Promise<ProgramRecord> {
    const path = join(OBJECTS, `${object}.bpf.o`);
    const request = {
      label: path,
      source: { kind: "file" as const, path },
      programs: [{ type, name }],
      globals: {},
      metadata: {},
      ...more,
    };
    const { items } = await loadPrograms(this.#dispatcher, request, readObjectFile(path));
    return items[0]!;
  }

  /** Attaches a program in the namespace. */
  async attach(program: ProgramRecord | number, hook: HookName, options: AttachOptions = {}): Promise<MemberLink> {
    const { priority = 50, device = "d0", ...more } = options;
    const programId = typeof program === "number" ? program : program.id;
    const attach = { programId, hook, device, netns: this.ns.path, priority, ...more };
    const { items } = await attachToDispatcher(this.#dispatcher, attach);
    return items[0] as MemberLink;
  }

  /** Detaches links. */
  async detach(...links: (MemberLink | number)[]): Promise<void> {
    await detachLinks(
      this.#dispatcher,
      links.map((link) => (typeof link === "number" ? link : link.id)),
    );
  }

  /** Unloads programs. */
  async unload(...programs: (ProgramRecord | number)[]): Promise<void> {
    await unloadPrograms(
      this.#dispatcher,
      programs.map((program) => (typeof program === "number" ? program : program.id)),
    );
  }

  /** An interface's number. */
  ifindex(device: string): number {
    using socket = RtnlSocket.open(this.ns);
    return dumpLinks(socket).find(({ name }) => name === device)?.ifindex ?? assert.fail(`there is no ${device}`);
  }

  /** The dispatcher of a hook as the store has it. */
  record(hook: HookName, device = "d0"): DispatcherRecord | undefined {
    const key = { hook, nsid: this.ns.id, ifindex: this.ifindex(device) };
    return this.#dispatcher.state().dispatchers.get(keyText(key));
  }

  /** The names of a hook's members, first to last. */
  order(hook: HookName, device = "d0"): string[] {
    const state = this.#dispatcher.state();
    const key = { hook, nsid: this.ns.id, ifindex: this.ifindex(device) };
    return membersOf(state, key).map(({ programId }) => state.programs.get(programId)!.name);
  }

  /** How often a program's counter was bumped: row 0 (or another) of the map of this name in its set. */
  hits(program: ProgramRecord, map = program.type === "xdp" ? "xdp_hits" : "tc_hits", row = 0): number {
    const fd = openPin(join(this.paths.pins, mapPin(program.mapSet, map)));
    assert.ok(fd, `program ${program.id} has no map ${map}`);
    using counters = new BpfMap(fd, U32, U64);
    return counters.get(row) ?? 0;
  }

  /** Sends frames into an interface of the namespace from its peer (d1 sends to d0), all through by the time it returns. */
  send(count = 10, to = "d0"): void {
    const peer = to.endsWith("0") ? `${to.slice(0, -1)}1` : `${to.slice(0, -1)}0`;
    using socket = PacketSocket.open(peer, this.ns);
    const frame = ethernet(ipv4("192.0.2.1", "192.0.2.2"));
    for (let i = 0; i < count; i += 1) socket.send(frame);
    // What a busy processor left to its ksoftirqd, that needs a processor for. Several times: on a machine that stood still
    // meanwhile, who waits for a time and who waits for a processor go on at once.
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    for (let turn = 0; turn < 6; turn += 1) Atomics.wait(nobody, 0, 0, 1);
  }

  /** What the doctor finds, `rule: message` each. */
  findings(): string[] {
    return examine(this.#dispatcher.snapshot()).map(({ rule, message }) => `${rule}: ${message}`);
  }

  /** Programs in the kernel whose names begin with one of these. */
  kernelPrograms(...prefixes: string[]): number[] {
    return programIds().filter((id) => {
      using fd = openProgramById(id);
      return fd !== undefined && prefixes.some((prefix) => programInfo(fd.number).name.startsWith(prefix));
    });
  }

  [Symbol.dispose](): void {
    this.#dispatcher[Symbol.dispose]();
    if (existsSync(this.paths.pins)) umount2(this.paths.pins, 2);
    if (!this.#keepsRoot) rmSync(this.root, { recursive: true, force: true });
    this.ns[Symbol.dispose]();
  }
}
