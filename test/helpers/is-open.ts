/** Whether this process has a descriptor open. */
import { fcntl } from "../../src/linux/ffi.ts";

const F_GETFD = 1;

/** Whether it has. */
export const isOpen = (fd: number): boolean => fcntl(fd, F_GETFD, 0) >= 0;
