/**
 * The C API of libbpf 1.x, as far as loading objects needs it. iproute2 depends on the same library, so it is there
 * wherever `tc` is. Functions return null or a negative number when they fail, and errno tells why.
 */
import { callback, loadLibrary, vsnprintf } from "../ffi.ts";

/** An address that libbpf gave out; null when it failed. */
type Address = bigint | null;
/** Memory to read from or write to. */
type Memory = NodeJS.ArrayBufferView;

/** What is bound of libbpf. */
export interface Libbpf {
  openMemory(image: Memory, size: number, options: Memory): Address;
  load(object: bigint): number;
  close(object: bigint): void;
  findProgram(object: bigint, name: string): Address;
  programFd(program: bigint): number;
  findMap(object: bigint, name: string): Address;
  mapFd(map: bigint): number;
  reuseFd(map: bigint, fd: number): number;
  setInitialValue(map: bigint, data: Memory, size: number): number;
  setPrint(print: Address): Address;
  nextProgram(object: bigint, before: Address): Address;
  programName(program: bigint): string;
  programSection(program: bigint): string;
  programType(program: bigint): number;
  programFlags(program: bigint): number;
  setAutoload(program: bigint, on: boolean): number;
  setType(program: bigint, type: number): number;
  setExpectedAttachType(program: bigint, type: number): number;
  setAttachTarget(program: bigint, fd: number, name: string): number;
  setFlags(program: bigint, flags: number): number;
  instructions(program: bigint): Address;
  instructionCount(program: bigint): number;
  nextMap(object: bigint, before: Address): Address;
  mapName(map: bigint): string;
  mapType(map: bigint): number;
  mapKeySize(map: bigint): number;
  mapValueSize(map: bigint): number;
  mapIsInternal(map: bigint): boolean;
  mapPinPath(map: bigint): string | null;
  setMapPinPath(map: bigint, path: string | null): number;
  /** Writes the size, 64 bits, to `size`. */
  initialValue(map: bigint, size: Memory): Address;
  objectBtf(object: bigint): Address;
  /** Writes the size, 32 bits, to `size`. */
  rawBtf(btf: bigint, size: Memory): Address;
}

/** Bytes of `struct bpf_object_open_opts` of libbpf 1.0, and where its fields stand. Later versions take it as well. */
export const OPEN_OPTIONS = { size: 80, objectName: 8, logBuffer: 56, logSize: 64 } as const;

let bound: Libbpf | undefined;

/** Loads the library the first time. @throws Error when it is not installed */
export function libbpf(): Libbpf {
  if (bound) return bound;
  const lib = loadLibrary("libbpf.so.1");
  bound = {
    openMemory: lib.func("void *bpf_object__open_mem(const void *image, size_t size, const void *options)"),
    load: lib.func("int bpf_object__load(void *object)"),
    close: lib.func("void bpf_object__close(void *object)"),
    findProgram: lib.func("void *bpf_object__find_program_by_name(void *object, const char *name)"),
    programFd: lib.func("int bpf_program__fd(void *program)"),
    findMap: lib.func("void *bpf_object__find_map_by_name(void *object, const char *name)"),
    mapFd: lib.func("int bpf_map__fd(void *map)"),
    reuseFd: lib.func("int bpf_map__reuse_fd(void *map, int fd)"),
    setInitialValue: lib.func("int bpf_map__set_initial_value(void *map, const void *data, size_t size)"),
    setPrint: lib.func("void *libbpf_set_print(void *print)"),
    nextProgram: lib.func("void *bpf_object__next_program(void *object, void *before)"),
    programName: lib.func("const char *bpf_program__name(void *program)"),
    programSection: lib.func("const char *bpf_program__section_name(void *program)"),
    programType: lib.func("int bpf_program__type(void *program)"),
    programFlags: lib.func("uint32_t bpf_program__flags(void *program)"),
    setAutoload: lib.func("int bpf_program__set_autoload(void *program, bool on)"),
    setType: lib.func("int bpf_program__set_type(void *program, int type)"),
    setExpectedAttachType: lib.func("int bpf_program__set_expected_attach_type(void *program, int type)"),
    setAttachTarget: lib.func("int bpf_program__set_attach_target(void *program, int fd, const char *name)"),
    setFlags: lib.func("int bpf_program__set_flags(void *program, uint32_t flags)"),
    instructions: lib.func("void *bpf_program__insns(void *program)"),
    instructionCount: lib.func("size_t bpf_program__insn_cnt(void *program)"),
    nextMap: lib.func("void *bpf_object__next_map(void *object, void *before)"),
    mapName: lib.func("const char *bpf_map__name(void *map)"),
    mapType: lib.func("int bpf_map__type(void *map)"),
    mapKeySize: lib.func("uint32_t bpf_map__key_size(void *map)"),
    mapValueSize: lib.func("uint32_t bpf_map__value_size(void *map)"),
    mapIsInternal: lib.func("bool bpf_map__is_internal(void *map)"),
    mapPinPath: lib.func("const char *bpf_map__pin_path(void *map)"),
    setMapPinPath: lib.func("int bpf_map__set_pin_path(void *map, const char *path)"),
    initialValue: lib.func("void *bpf_map__initial_value(void *map, void *size)"),
    objectBtf: lib.func("void *bpf_object__btf(void *object)"),
    rawBtf: lib.func("void *btf__raw_data(void *btf, void *size)"),
  };
  // Null is silence; without it libbpf writes to standard error.
  bound.setPrint(null);
  return bound;
}

const LINE = Buffer.alloc(64 * 1024);
const DEBUG = 2;
let lines: string[] = [];

/** One print function for the life of the process: a callback per call would have to be given back after errors too. */
let printer: bigint | undefined;
const makePrinter = (): bigint =>
  callback(
    "int sluice_libbpf_print(int level, const void *format, void *args)",
    (...[level, format, args]: PrintArgs) => {
      if (level < DEBUG) {
        const length = vsnprintf(LINE, LINE.length, format, args);
        lines.push(LINE.toString("utf8", 0, Math.min(length, LINE.length - 1)).trimEnd());
      }
      return 0;
    },
  );
type PrintArgs = [level: number, format: bigint, args: bigint];

/**
 * Runs a function and collects what libbpf says meanwhile, debug output left out. libbpf has one print function per
 * process, so only one thread may load objects at a time.
 */
export function withLog<T>(body: () => T): { readonly result: T; readonly log: readonly string[] } {
  printer ??= makePrinter();
  lines = [];
  libbpf().setPrint(printer);
  try {
    const result = body();
    return { result, log: lines };
  } finally {
    libbpf().setPrint(null);
  }
}
