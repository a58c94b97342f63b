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
  /** Whatever the sender wants to know when it is back. */
  readonly token: number;
  /** Its place in the queue it is in. */
  place: number;
  /** When it reaches the reflector, s. */
  turned: number;
  /** s; when it is back. */
  received: number;
}

/** What the line adds besides its queues. */
export interface Path {
  /** One way, s. */
  up(reflector: number, now: number): number;
  down(reflector: number, now: number): number;
  /** Whether it answers at all. */
  answers(reflector: number, now: number): boolean;
}

/** All that is under way. */
export class Transit {
  readonly #upload: Pipe;
  readonly #download: Pipe;
  readonly #path: Path;
  readonly #random: Random;
  /** In the queue up; past it on the way to the reflector; in the queue down; past that. */
  readonly #up: Probe[] = [];
  readonly #turning: Probe[] = [];
  readonly #down: Probe[] = [];
  readonly #coming: Probe[] = [];

  constructor({ upload, download }: Both<Pipe>, path: Path, random: Random) {
    this.#upload = upload;
    this.#download = download;
    this.#path = path;
    this.#random = random;
  }

  /** Sends one. */
  send(reflector: number, now: number, token: number): void {
    if (this.#dropped(this.#upload)) return;
    this.#up.push({ reflector, sent: now, token, place: this.#upload.tail, turned: 0, received: 0 });
  }

  /** Moves everything on to a time; hands over who is back. */
  step(now: number, back: (probe: Probe) => void): void {
    const up = this.#up;
    while (up.length > 0 && up[0]!.place <= this.#upload.drained) {
      const probe = up.shift()!;
      const left = Math.max(probe.sent, now - this.#upload.since(probe.place));
      probe.turned = left + this.#path.up(probe.reflector, left);
      this.#turning.push(probe);
    }
    if (this.#turning.length > 0) this.#turn(now);
    const down = this.#down;
    while (down.length > 0 && down[0]!.place <= this.#download.drained) {
      const probe = down.shift()!;
      const left = Math.max(probe.turned, now - this.#download.since(probe.place));
      probe.received = left + this.#path.down(probe.reflector, left);
      this.#coming.push(probe);
    }
    const coming = this.#coming;
    for (let i = 0; i < coming.length; i += 1) {
      if (coming[i]!.received > now) continue;
      back(coming[i]!);
      coming.splice(i, 1);
      i -= 1;
    }
  }

  #turn(now: number): void {
    const turning = this.#turning;
    for (let i = 0; i < turning.length; i += 1) {
      const probe = turning[i]!;
      if (probe.turned > now) continue;
      turning.splice(i, 1);
      i -= 1;
      if (!this.#path.answers(probe.reflector, now) || this.#dropped(this.#download)) continue;
      // It came within the step: what came after it stands behind it.
      probe.place = this.#download.tail - (now - probe.turned) * this.#download.rate;
      this.#down.push(probe);
    }
  }

  #dropped(pipe: Pipe): boolean {
    return pipe.dropShare > 0 && this.#random() < pipe.dropShare;
  }
}
