/** BPF object files: opened, told their read-only data and which maps to share, and loaded. */
import { problem, SluiceError } from "../../core/errors.ts";
import { describeErrno } from "../errno.ts";
import type { Fd } from "../fd.ts";
import { addressOf, errno } from "../ffi.ts";
import { libbpf, OPEN_OPTIONS, withLog } from "./libbpf.ts";
import { foldLog } from "./verifier-log.ts";

const VERIFIER_LOG = 2 ** 20;

/** BPF_LOAD, with all that libbpf and the verifier said. */
export class BpfLoadError extends SluiceError {
  /** libbpf's own lines. */
  readonly log: readonly string[];
  /** The verifier's log, up to 1 MiB; empty when the program did not get that far. */
  readonly verifierLog: string;

  constructor(program: string, number: number, log: readonly string[], verifierLog: string) {
    // libbpf's last line is only "failed to load object", its first names what failed.
    const details = [describeErrno(number), foldLog(verifierLog) || (log[0] ?? "").replace(/^libbpf: /, "")];
    super([problem("BPF_LOAD", { program, reason: details.filter((text) => text !== "").join(": ") })]);
    this.log = log;
    this.verifierLog = verifierLog;
  }
}

/** An object file in libbpf's hands. Disposing closes the descriptors of its programs and of maps that it made. */
export class BpfObject implements Disposable {
  readonly #name: string;
  readonly #verifierLog: Buffer;
  #address: bigint | undefined;

  private constructor(name: string, address: bigint, verifierLog: Buffer) {
    this.#name = name;
    this.#address = address;
    this.#verifierLog = verifierLog;
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
    return new BpfObject(name, opened.result.address, verifierLog);
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
    const program = libbpf().findProgram(this.#object, name);
    if (!program) throw new BpfLoadError(this.#name, errno(), [`no program "${name}"`], "");
    return this.#must(libbpf().programFd(program));
  }

  /** A map's descriptor, which lives as long as this object. @throws BpfLoadError when there is none of that name */
  mapFd(name: string): number {
    return this.#must(libbpf().mapFd(this.#map(name)));
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
