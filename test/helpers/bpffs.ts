/** A bpffs of a test's own, gone with all its pins when the test ends. */
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBpffs } from "../../src/linux/bpf/pin.ts";
import { check } from "../../src/linux/errno.ts";
import { umount2 } from "../../src/linux/ffi.ts";

/** A mounted bpffs, unmounted and removed when disposed. */
export class TestBpffs implements Disposable {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), "sluice-bpffs-"));
    ensureBpffs(this.path);
  }

  [Symbol.dispose](): void {
    check(`umount ${this.path}`, umount2(this.path, 0));
    rmdirSync(this.path);
  }
}
