/**
 * The C library, bound once. Only this file imports koffi; everything else in `src/linux` calls these functions, so that
 * Node's own FFI can take koffi's place one day.
 *
 * All calls are synchronous. A Buffer or typed array is passed without a copy, so the kernel writes straight into it.
 * Read {@link errno} right after a call that failed, before anything else runs.
 */
import koffi, { type LibraryHandle } from "koffi";

const libc = koffi.load("libc.so.6");

/**
 * The error number of the last call that failed. Not wrapped: where a function of JavaScript begins, the engine may do work of its
 * own, whose system calls could leave their numbers behind.
 */
export const errno: () => number = koffi.errno;

/** Address of a buffer's memory, to embed in a structure; keep the buffer referenced while the kernel may use it. */
export const addressOf = (buffer: NodeJS.ArrayBufferView): bigint => koffi.address(buffer);

/** A copy of memory that a C function gave out the address of. */
export const copyMemory = (address: bigint, length: number): Buffer =>
  length === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(koffi.view(address, length)));

/** Memory that C gave out the address of, itself: it must not be touched once C has taken it back. */
export const viewMemory = (address: bigint, length: number): ArrayBuffer => koffi.view(address, length);

/** Memory a C function may write to or read from. */
type Memory = NodeJS.ArrayBufferView | null;

/** Numbers of system calls that are the same on every architecture (they came after the tables were joined). */
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const fsopenCall = libc.func("long syscall(long nr, const char *type, unsigned int flags)") as (
  number: number,
  type: string,
  flags: number,
) => number;
const fsconfigCall = libc.func(
  "long syscall(long nr, int fd, unsigned int cmd, const char *key, const void *value, int aux)",
) as (number: number, fd: number, command: number, key: string | null, value: Memory, aux: number) => number;
const fsmountCall = libc.func("long syscall(long nr, int fd, unsigned int flags, unsigned int attributes)") as (
  number: number,
  fd: number,
  flags: number,
  attributes: number,
) => number;

/** socket(2). */
export const socket = libc.func("int socket(int domain, int type, int protocol)") as (
  domain: number,
  type: number,
  protocol: number,
) => number;
/** bind(2). */
export const bind = libc.func("int bind(int fd, const void *addr, uint32_t len)") as (
  fd: number,
  address: Memory,
  length: number,
) => number;
/** connect(2). */
export const connect = libc.func("int connect(int fd, const void *addr, uint32_t len)") as (
  fd: number,
  address: Memory,
  length: number,
) => number;
/** setsockopt(2). */
export const setsockopt = libc.func("int setsockopt(int fd, int level, int name, const void *val, uint32_t len)") as (
  fd: number,
  level: number,
  name: number,
  value: Memory,
  length: number,
) => number;
const setsockoptCall = libc.func("int setsockopt(int fd, int level, int name, const void *val, uint32_t len)") as {
  async: (
    fd: number,
    level: number,
    name: number,
    value: Memory,
    length: number,
    done: (error: Error | null, result: number) => void,
  ) => void;
};
/** setsockopt(2) in a thread of its own, for options that wait for locks; 0, or the negative error number. */
export const setsockoptAsync = (fd: number, level: number, name: number, value: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    setsockoptCall.async(fd, level, name, value, value.length, (error, result) => {
      if (error) reject(error);
      else resolve(result < 0 ? -errno() : result);
    });
  });
/** socketpair(2) into two s32. */
export const socketpair = libc.func("int socketpair(int domain, int type, int protocol, void *fds)") as (
  domain: number,
  type: number,
  protocol: number,
  fds: Memory,
) => number;
/** sendmsg(2); the header is a struct msghdr that holds the addresses of its parts. */
export const sendmsg = libc.func("int64_t sendmsg(int fd, const void *header, int flags)") as (
  fd: number,
  header: Memory,
  flags: number,
) => number;
/** sendmmsg(2) of so many struct mmsghdr at an address: how many were sent, -1 when the first of them was not. */
export const sendmmsg = libc.func("int sendmmsg(int fd, uintptr_t headers, uint32_t count, int flags)") as (
  fd: number,
  headers: number,
  count: number,
  flags: number,
) => number;
/** sendto(2). */
export const sendto = libc.func(
  "int64_t sendto(int fd, const void *buf, size_t len, int flags, const void *addr, uint32_t alen)",
) as (fd: number, buffer: Memory, length: number, flags: number, address: Memory, addressLength: number) => number;
/** recv(2). */
export const recv = libc.func("int64_t recv(int fd, void *buf, size_t len, int flags)") as (
  fd: number,
  buffer: Memory,
  length: number,
  flags: number,
) => number;
/** recvmsg(2); the header is a struct msghdr that holds the addresses of its parts. */
export const recvmsg = libc.func("int64_t recvmsg(int fd, void *header, int flags)") as (
  fd: number,
  header: Memory,
  flags: number,
) => number;
/** recvmmsg(2) into so many struct mmsghdr at an address, without a time to wait: how many came. */
export const recvmmsg = libc.func(
  "int recvmmsg(int fd, uintptr_t headers, uint32_t count, int flags, const void *timeout)",
) as (fd: number, headers: number, count: number, flags: number, timeout: null) => number;
/** clock_gettime(2) into a struct timespec. */
export const clockGettime = libc.func("int clock_gettime(int clock, void *time)") as (
  clock: number,
  time: Memory,
) => number;
/** getsockopt(2); the length is read and written. */
export const getsockopt = libc.func("int getsockopt(int fd, int level, int name, void *val, uint32_t *len)") as (
  fd: number,
  level: number,
  name: number,
  value: Memory,
  length: Memory,
) => number;
/** getsockname(2); the length is read and written. */
export const getsockname = libc.func("int getsockname(int fd, void *addr, uint32_t *len)") as (
  fd: number,
  address: Memory,
  length: Memory,
) => number;
/** eventfd(2). */
export const eventfd = libc.func("int eventfd(unsigned int count, int flags)") as (
  count: number,
  flags: number,
) => number;

const pollCall = libc.func("int poll(void *fds, unsigned long count, int timeout)") as {
  async: (fds: Memory, count: number, timeout: number, done: (error: Error | null, result: number) => void) => void;
};
/** poll(2) in a thread of its own; the descriptors' memory must stay until it has returned. */
export const pollAsync = (fds: Memory, count: number, timeout: number): Promise<number> =>
  new Promise((resolve, reject) => {
    pollCall.async(fds, count, timeout, (error, result) => (error ? reject(error) : resolve(result)));
  });
/** ppoll(2) in this thread, until a struct timespec has passed; for threads that do nothing else. */
export const ppoll = libc.func("int ppoll(void *fds, unsigned long count, const void *timeout, const void *mask)") as (
  fds: Memory,
  count: number,
  timeout: Memory,
  mask: null,
) => number;
/** poll(2) in this thread, for programs that have nothing else to do. */
export const poll = libc.func("int poll(void *fds, unsigned long count, int timeout)") as (
  fds: Memory,
  count: number,
  timeout: number,
) => number;
/** getgrnam(3): the address of a struct group, 0 when there is none of that name. */
export const getgrnam = libc.func("uintptr_t getgrnam(const char *name)") as (name: string) => bigint | number;
/** memfd_create(2). */
export const memfdCreate = libc.func("int memfd_create(const char *name, unsigned int flags)") as (
  name: string,
  flags: number,
) => number;
/** ftruncate(2). */
export const ftruncate = libc.func("int ftruncate(int fd, int64_t length)") as (fd: number, length: number) => number;
const mmapCall = libc.func(
  "intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)",
) as (address: null, length: number, protection: number, flags: number, fd: number, offset: number) => bigint | number;
/** mmap(2) wherever the kernel likes: the address, or -1. */
export const mmap = (length: number, protection: number, flags: number, fd: number): bigint =>
  BigInt(mmapCall(null, length, protection, flags, fd, 0));
/** munmap(2). */
export const munmap = libc.func("int munmap(uintptr_t address, size_t length)") as (
  address: bigint,
  length: number,
) => number;
/** prctl(2) with numbers as its arguments. */
export const prctl = libc.func(
  "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
) as (option: number, a: number, b: number, c: number, d: number) => number;
/** capset(2) of this thread: a header of u32 version and s32 pid, then two times three u32. */
export const capset = libc.func("int capset(void *header, const void *data)") as (
  header: Memory,
  data: Memory,
) => number;
/** sched_setaffinity(2) of this thread when the pid is 0; the mask has a bit for each processor. */
export const schedSetaffinity = libc.func("int sched_setaffinity(int pid, size_t size, const void *mask)") as (
  pid: number,
  size: number,
  mask: Memory,
) => number;
/** malloc_trim(3): gives memory that the C library holds back to the kernel. */
export const mallocTrim = libc.func("int malloc_trim(size_t pad)") as (pad: number) => number;
/** ioctl(2) with a structure as its argument. */
export const ioctl = libc.func("int ioctl(int fd, unsigned long request, void *arg)") as (
  fd: number,
  request: number,
  argument: Memory,
) => number;
/** open(2). */
export const open = libc.func("int open(const char *path, int flags)") as (path: string, flags: number) => number;
/** close(2). */
export const close = libc.func("int close(int fd)") as (fd: number) => number;
/** fcntl(2) with a number as its argument. */
export const fcntl = libc.func("int fcntl(int fd, int command, int argument)") as (
  fd: number,
  command: number,
  argument: number,
) => number;
/** setns(2): moves the calling thread only. */
export const setns = libc.func("int setns(int fd, int nstype)") as (fd: number, type: number) => number;
/** unshare(2): for the calling thread only. */
export const unshare = libc.func("int unshare(int flags)") as (flags: number) => number;
/** mount(2). */
export const mount = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)",
) as (source: string, target: string, type: string, flags: number, data: Memory) => number;
/** umount2(2). */
export const umount2 = libc.func("int umount2(const char *target, int flags)") as (
  target: string,
  flags: number,
) => number;
/** statfs(2); the first long of the 120-byte buffer is the file system's magic. */
export const statfs = libc.func("int statfs(const char *path, void *buf)") as (path: string, buffer: Memory) => number;
/** fsopen(2), by number because glibc before 2.36 has no wrapper. */
export const fsopen = (type: string, flags: number): number => fsopenCall(SYS_FSOPEN, type, flags);
/** fsconfig(2). */
export const fsconfig = (fd: number, command: number, key: string | null, value: Memory, aux: number): number =>
  fsconfigCall(SYS_FSCONFIG, fd, command, key, value, aux);
/** fsmount(2). */
export const fsmount = (fd: number, flags: number, attributes: number): number =>
  fsmountCall(SYS_FSMOUNT, fd, flags, attributes);

/** flock(2). */
export const flock = libc.func("int flock(int fd, int operation)") as (fd: number, operation: number) => number;
/** setrlimit(2); the limit is two u64: soft, hard. */
export const setrlimit = libc.func("int setrlimit(int resource, const void *limit)") as (
  resource: number,
  limit: Memory,
) => number;
/** vsnprintf(3) on the format and the `va_list` that a callback got: both addresses on every machine we run on. */
export const vsnprintf = libc.func("int vsnprintf(void *str, size_t size, const void *format, void *ap)") as (
  buffer: Memory,
  size: number,
  format: bigint,
  args: bigint,
) => number;
/** if_nametoindex(3) in the calling thread's network namespace. */
export const ifNameToIndex = libc.func("unsigned int if_nametoindex(const char *name)") as (name: string) => number;
/** bpf(2), by number because glibc has no wrapper. */
export const bpfSyscall = libc.func("long syscall(long nr, int cmd, void *attr, unsigned int size)") as (
  number: number,
  command: number,
  attributes: Memory,
  size: number,
) => number;

const perfEventOpenCall = libc.func(
  "long syscall(long nr, void *attr, int pid, int cpu, int group, unsigned long flags)",
) as (number: number, attribute: Memory, pid: number, cpu: number, group: number, flags: number) => number;
const SYS_PERF_EVENT_OPEN = process.arch === "arm64" ? 241 : 298;
/** perf_event_open(2), by number because glibc has no wrapper. */
export const perfEventOpen = (attribute: Memory, pid: number, cpu: number, group: number, flags: number): number =>
  perfEventOpenCall(SYS_PERF_EVENT_OPEN, attribute, pid, cpu, group, flags);

/** Loads another shared library; for `src/linux/bpf/libbpf.ts`. */
export const loadLibrary = (name: string): LibraryHandle => koffi.load(name);

/** A C function pointer that calls back into JavaScript, for ever valid; C may call it only while JavaScript waits for C. */
export const callback = (prototype: string, body: (...args: never[]) => unknown): bigint =>
  koffi.register(body, koffi.pointer(koffi.proto(prototype)));
