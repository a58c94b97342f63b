/** What must be done before this process ends, however it is ended, short of SIGKILL. */

const tasks = new Set<() => void>();
let listening = false;

/** In the order opposite to that in which they were registered; one that fails keeps none from its turn. */
function runAll(): void {
  for (const task of [...tasks].toReversed())
    try {
      task();
    } catch (error) {
      console.error(error);
    }
}

/** Lets signals that ask this process to end do so by way of `exit`. */
export function endBySignals(): void {
  if (listening) return;
  listening = true;
  process.on("exit", runAll);
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const)
    process.once(signal, () => process.exit(128 + number));
}

/** Registers it; disposing takes it back. */
export function atExit(task: () => void): Disposable {
  endBySignals();
  tasks.add(task);
  return { [Symbol.dispose]: () => void tasks.delete(task) };
}
