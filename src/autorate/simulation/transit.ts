/** Probes on their way through the queues of a simulated line. */
import type { Both } from "../../core/both.ts";
import type { Random } from "../model.ts";
import type { Pipe } from "./pipe.ts";

/** A probe that is under way. */
export interface Probe {
  /** Index of the reflector; -1: it belongs to the observer, who takes no part in the control. */
  readonly reflector: number;
  /** s */
  readonly sent: number;
  /** Its place in the queue it is in. */
  place: number;
  /** When it reaches the reflector, s. */
  turned: number;
  /** s; when it is back. */
  received: number;
}

/** What the line adds besides its queues. */
export interface Path {
  /** One way, ms. */
  delay(reflector: number, now: number): Both<number>;
  /** Whether it answers at all. */
  answers(reflector: number, now: number): boolean;
}

/** All that is under way. */
export class Transit {
  readonly #lines: Both<Pipe>;
  readonly #path: Path;
  readonly #random: Random;
  readonly #up: Probe[] = [];
  /** Past the queue, not at the reflector yet. */
  #turning: Probe[] = [];
  readonly #down: Probe[] = [];
  #coming: Probe[] = [];

  constructor(lines: Both<Pipe>, path: Path, random: Random) {
    this.#lines = lines;
    this.#path = path;
    this.#random = random;
  }

  /** Sends one. */
  send(reflector: number, now: number): void {
    const { upload } = this.#lines;
    if (this.#dropped(upload)) return;
    this.#up.push({ reflector, sent: now, place: upload.tail, turned: 0, received: 0 });
  }

  /** Moves everything on to a time; hands over who is back. */
  step(now: number, back: (probe: Probe) => void): void {
    const { upload, download } = this.#lines;
    while (this.#up.length > 0 && this.#up[0]!.place <= upload.drained) {
      const probe = this.#up.shift()!;
      const left = now - Math.max(0, upload.since(probe.place));
      probe.turned = left + this.#path.delay(probe.reflector, left).upload / 1000;
      this.#turning.push(probe);
    }
    this.#turning = this.#turning.filter((probe) => {
      if (probe.turned > now) return true;
      if (!this.#path.answers(probe.reflector, now) || this.#dropped(download)) return false;
      probe.place = download.tail;
      this.#down.push(probe);
      return false;
    });
    while (this.#down.length > 0 && this.#down[0]!.place <= download.drained) {
      const probe = this.#down.shift()!;
      const left = Math.max(probe.turned, now - Math.max(0, download.since(probe.place)));
      probe.received = left + this.#path.delay(probe.reflector, left).download / 1000;
      this.#coming.push(probe);
    }
    this.#coming = this.#coming.filter((probe) => {
      if (probe.received > now) return true;
      back(probe);
      return false;
    });
  }

  #dropped(pipe: Pipe): boolean {
    return pipe.dropShare > 0 && this.#random() < pipe.dropShare;
  }
}
