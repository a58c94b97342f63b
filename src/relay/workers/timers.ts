/** Time for what waits: tests decide how it passes. */

/** A clock, and what happens at some time on it. */
export interface Timers {
  /** ms, never stepping. */
  now(): number;
  /** Calls once, in so many ms, unless disposed before. */
  after(ms: number, body: () => void): Disposable;
}

/** The machine's own. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after(ms, body) {
    const timer = setTimeout(body, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
