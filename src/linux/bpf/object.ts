/** BPF object files: opened, told their read-only data and which maps to share, and loaded. */
import { problem, SluiceError } from "../../core/errors.ts";
import { describeErrno } from "../errno.ts";
import type { Fd } from "../fd.ts";
import { addressOf, copyMemory, errno } from "../ffi.ts";
import { type Btf, parseBtf } from "./btf-codec.ts";
import { elfSection } from "./elf-codec.ts";
import { libbpf, OPEN_OPTIONS, withLog } from "./libbpf.ts";
import { foldLog } from "./verifier-log.ts";

const VERIFIER_LOG = 2 ** 20;

/** The verifier's last words, and on which of an object's programs where libbpf tells; empty when it said nothing. */
function verdictOf(log: readonly string[], verifierLog: string): string {
  const folded = foldLog(verifierLog);
  const refused = /^libbpf: prog '(.+?)': BPF program load failed/m.exec(log.join("\n"))?.[1];
  return folded === "" || refused === undefined ? folded : `${refused}: ${folded}`;
}

/** BPF_LOAD, with all that libbpf and the verifier said. */
export class BpfLoadError extends SluiceError {
  /** Positive error number. */
  readonly errno: number;
  /** libbpf's own lines. */
  readonly log: readonly string[];
  /** The verifier's log, up to 1 MiB; empty when the program did not get that far. */
  readonly verifierLog: string;

  constructor(program: string, number: number, log: readonly string[], verifierLog: string) {
    // libbpf's last line is only "failed to load object", its first names what failed.
    const details = [describeErrno(number), verdictOf(log, verifierLog) || (log[0] ?? "").replace(/^libbpf: /, "")];
    super([problem("BPF_LOAD", { program, reason: details.filter((text) => text !== "").join(": ") })]);
    this.errno = number;
    this.log = log;
    this.verifierLog = verifierLog;
  }
}

/** A program as its object file describes it. */
export interface ObjectProgram {
  /** The C function. */
  readonly name: string;
  /** The ELF section, which says what it is for. */
  readonly section: string;
  readonly flags: number;
}

/** A map as its object file describes it. */
export interface ObjectMap {
  /** libbpf's name for it, by which it is found: `x.rodata` for data of an object named x. */
  readonly name: string;
  /** One of MAP_TYPE. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  /** The data section behind it, `.rodata`; absent for maps that the program declares. */
  readonly section?: string;
  /** Shared with every program that names it (LIBBPF_PIN_BY_NAME). */
  readonly pinByName: boolean;
}

const DATA_SECTION = /\.(rodata|data|bss|kconfig)(\.\S*)?$/;

/** An object file in libbpf's hands. Disposing closes the descriptors of its programs and of maps that it made. */
export class BpfObject implements Disposable {
  readonly #name: string;
  readonly #verifierLog: Buffer;
  #address: bigint | undefined;
  readonly #image: Uint8Array;
  /** Maps that libbpf would pin by their names, in a folder of its own choice. */
  readonly #byName = new Set<string>();

  private constructor(name: string, image: Uint8Array, address: bigint, verifierLog: Buffer) {
    this.#name = name;
    this.#image = image;
    this.#address = address;
    this.#verifierLog = verifierLog;
    for (const map of this.#each("nextMap")) {
      if (libbpf().mapPinPath(map) === null) continue;
      this.#byName.add(libbpf().mapName(map));
      libbpf().setMapPinPath(map, null);
    }
  }

  /**
   * Reads an object file's content.
   *
   * @param name for errors, and the beginning of the names of its data maps
   * @throws BpfLoadError when it is not a BPF object
   */
  static open(name: string, image: Uint8Array): BpfObject {
    const verifierLog = Buffer.alloc(VERIFIER_LOG);
    const objectName = Buffer.from(`${name}\0`);
    const options = Buffer.alloc(OPEN_OPTIONS.size);
    options.writeBigUInt64LE(BigInt(OPEN_OPTIONS.size), 0);
    options.writeBigUInt64LE(addressOf(objectName), OPEN_OPTIONS.objectName);
    options.writeBigUInt64LE(addressOf(verifierLog), OPEN_OPTIONS.logBuffer);
    options.writeBigUInt64LE(BigInt(verifierLog.length), OPEN_OPTIONS.logSize);
    const opened = withLog(() => ({ address: libbpf().openMemory(image, image.length, options), errno: errno() }));
    if (!opened.result.address) throw new BpfLoadError(name, opened.result.errno, opened.log, "");
    return new BpfObject(name, image, opened.result.address, verifierLog);
  }

  /** Replaces the read-only data, all of it; before {@link load}. @throws BpfLoadError when its size is another */
  setReadOnlyData(data: Uint8Array): void {
    this.#must(libbpf().setInitialValue(this.#map(".rodata"), data, data.length));
  }

  /** Uses a map that exists already instead of making one; before {@link load}. @throws BpfLoadError */
  reuseMap(name: string, map: Fd): void {
    this.#must(libbpf().reuseFd(this.#map(name), map.number));
  }

  /** Makes the maps and loads the programs. @throws BpfLoadError */
  load(): void {
    const { result, log } = withLog(() => libbpf().load(this.#object));
    if (result < 0) throw new BpfLoadError(this.#name, -result, log, this.#readVerifierLog());
  }

  /** A program's descriptor, which lives as long as this object. @throws BpfLoadError when there is none of that name */
  programFd(name: string): number {
    return this.#must(libbpf().programFd(this.#program(name)));
  }

  /** A map's descriptor, which lives as long as this object. @throws BpfLoadError when there is none of that name */
  mapFd(name: string): number {
    return this.#must(libbpf().mapFd(this.#map(name)));
  }

  /** Its programs, in the order of the file. */
  programs(): ObjectProgram[] {
    return this.#each("nextProgram").map((program) => ({
      name: libbpf().programName(program),
      section: libbpf().programSection(program),
      flags: libbpf().programFlags(program),
    }));
  }

  /** Leaves out all programs but these; before {@link load}. */
  loadOnly(names: readonly string[]): void {
    for (const program of this.#each("nextProgram"))
      this.#must(libbpf().setAutoload(program, names.includes(libbpf().programName(program))));
  }

  /** Makes a program one of another type (PROGRAM_TYPE); before {@link load}. @throws BpfLoadError */
  setType(name: string, type: number): void {
    this.#must(libbpf().setType(this.#program(name), type));
  }

  /** Says what a program will be attached by (ATTACH_TYPE); before {@link load}. @throws BpfLoadError */
  setExpectedAttachType(name: string, type: number): void {
    this.#must(libbpf().setExpectedAttachType(this.#program(name), type));
  }

  /**
   * Says which function a program is for: of another program, or of the kernel when `fd` is 0; before {@link load}.
   *
   * @throws BpfLoadError ENOENT when there is no such function
   */
  setAttachTarget(name: string, fd: number, target: string): void {
    const { result, log } = withLog(() => libbpf().setAttachTarget(this.#program(name), fd, target));
    if (result < 0) throw new BpfLoadError(name, -result, log, "");
  }

  /** Sets the flags that a program is loaded with; before {@link load}. @throws BpfLoadError */
  setFlags(name: string, flags: number): void {
    this.#must(libbpf().setFlags(this.#program(name), flags));
  }

  /** A program's instructions as the kernel took them, its own functions behind it; after {@link load}. */
  instructions(name: string): Buffer {
    const program = this.#program(name);
    const at = libbpf().instructions(program);
    return at === null ? Buffer.alloc(0) : copyMemory(at, 8 * libbpf().instructionCount(program));
  }

  /** Its maps, those behind global data among them. */
  maps(): ObjectMap[] {
    return this.#each("nextMap").map((map) => {
      const name = libbpf().mapName(map);
      const section = libbpf().mapIsInternal(map) ? DATA_SECTION.exec(name)?.[0] : undefined;
      return {
        name,
        type: libbpf().mapType(map),
        keySize: libbpf().mapKeySize(map),
        valueSize: libbpf().mapValueSize(map),
        pinByName: this.#byName.has(name),
        ...(section !== undefined && { section }),
      };
    });
  }

  /** A copy of the data that a map will begin with; before {@link load}. */
  initialValue({ name }: ObjectMap): Buffer {
    const size = Buffer.alloc(8);
    const at = libbpf().initialValue(this.#map(name), size);
    return at === null ? Buffer.alloc(0) : copyMemory(at, Number(size.readBigUInt64LE(0)));
  }

  /** Sets the data that a map will begin with, all of it; before {@link load}. @throws BpfLoadError */
  setInitialValue({ name }: ObjectMap, data: Uint8Array): void {
    this.#must(libbpf().setInitialValue(this.#map(name), data, data.length));
  }

  /** The licence that it names; empty when it names none. */
  license(): string {
    return elfSection(this.#image, "license")?.toString("latin1").replace(/\0.*$/s, "") ?? "";
  }

  /** Its types, with the places of global variables filled in; undefined when it was built without. */
  btf(): Btf | undefined {
    const btf = libbpf().objectBtf(this.#object);
    if (btf === null) return undefined;
    const size = Buffer.alloc(4);
    const at = libbpf().rawBtf(btf, size);
    return at === null ? undefined : parseBtf(copyMemory(at, size.readUInt32LE(0)));
  }

  #each(what: "nextMap" | "nextProgram"): bigint[] {
    const found: bigint[] = [];
    const next = (before: bigint | null): bigint | null => libbpf()[what](this.#object, before);
    for (let at = next(null); at !== null; at = next(at)) found.push(at);
    return found;
  }

  #program(name: string): bigint {
    const program = libbpf().findProgram(this.#object, name);
    if (!program) throw new BpfLoadError(this.#name, errno(), [`no program "${name}"`], "");
    return program;
  }

  #map(name: string): bigint {
    const map = libbpf().findMap(this.#object, name);
    if (!map) throw new BpfLoadError(this.#name, errno(), [`no map "${name}"`], "");
    return map;
  }

  #must(result: number): number {
    if (result < 0) throw new BpfLoadError(this.#name, -result, [], "");
    return result;
  }

  #readVerifierLog(): string {
    return this.#verifierLog.toString("utf8").replace(/\0.*$/s, "").trimEnd();
  }

  get #object(): bigint {
    if (this.#address === undefined) throw new TypeError("Cannot use a BPF object that was closed");
    return this.#address;
  }

  [Symbol.dispose](): void {
    if (this.#address !== undefined) libbpf().close(this.#address);
    this.#address = undefined;
  }
}
