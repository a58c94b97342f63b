/**
 * Doing what a command is for: by the running daemon, or, where none runs, in this process. Either way it is the same
 * operation with the same answer; lock and store keep the two from meeting.
 */
import type { Client } from "../api/client.ts";
import type { Call, Output, RouteName } from "../api/routes.ts";
import type { LocalRoute } from "../control/operations.ts";
import type { Place } from "../control/place.ts";
import { sluiceError } from "../core/errors.ts";
import { pathsBelow } from "../linux/paths.ts";
import { type CliContext, note } from "./context.ts";
import { VERSION } from "../linux/version.ts";

/** Flags that say by whom, and on what. */
export interface PlaceFlags {
  /** Another configuration than the daemon's: then this process does it. */
  readonly config?: string;
  /** Another namespace than the daemon's: then this process does it. */
  readonly netns?: string;
  /** This process does it whether a daemon runs or not. */
  readonly direct: boolean;
}

/** Whether an error says that nobody listens. */
const isDown = (error: unknown): boolean =>
  ["ENOENT", "ECONNREFUSED"].includes((error as NodeJS.ErrnoException).code ?? "");
const isDenied = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EACCES";

async function connect(): Promise<Client> {
  const { Client } = await import("../api/client.ts");
  return new Client({ socket: pathsBelow().socket });
}

/** Says once when the daemon is another version. */
function versionCheck(context: CliContext): (version: string) => void {
  return (version) => {
    if (version !== VERSION) note(context, `note: sluiced is version ${version}, this is ${VERSION}; restart sluiced`);
  };
}

/** The place of this process. */
export function placeOf(context: CliContext, { config, netns }: PlaceFlags): Place {
  const paths = pathsBelow();
  return {
    paths,
    clock: context.clock,
    config: config ?? paths.config,
    signal: context.signal,
    ...(netns !== undefined && { netns }),
  };
}

/** Calls the daemon; undefined when none can be reached. */
async function byDaemon<N extends RouteName>(
  context: CliContext,
  name: N,
  call: Call<N>,
): Promise<Output<N> | undefined> {
  try {
    return await (await connect()).call(name, call, { signal: context.signal, onVersion: versionCheck(context) });
  } catch (error) {
    if (isDown(error) || isDenied(error)) return undefined;
    throw error;
  }
}

/** How {@link perform} does it in this process. */
export interface Locally {
  readonly onProgress?: (done: number, total: number) => void;
}

/** Does a route's operation in this process. @throws SluiceError */
async function performLocally<N extends LocalRoute>(
  context: CliContext,
  flags: PlaceFlags,
  name: N,
  call: Call<N>,
  { onProgress }: Locally = {},
): Promise<Output<N>> {
  const { OPERATIONS } = await import("../control/operations.ts");
  const { ROUTES } = await import("../api/routes.ts");
  const { readRequest } = await import("../api/request.ts");
  const input = readRequest(ROUTES[name] as never, call);
  const place = { ...placeOf(context, flags), ...(onProgress && { onProgress }) };
  return (await OPERATIONS[name](place, input as never)) as Output<N>;
}

/** Does a route's operation. @throws SluiceError whatever it fails with */
export async function perform<N extends LocalRoute>(
  context: CliContext,
  flags: PlaceFlags,
  name: N,
  call: Call<N>,
  locally: Locally = {},
): Promise<Output<N>> {
  const own = flags.direct || flags.config !== undefined || flags.netns !== undefined;
  const answered = own ? undefined : await byDaemon(context, name, call);
  return answered ?? performLocally(context, flags, name, call, locally);
}

/** What cannot be reached, as an error that says what to do. */
function unreached(error: unknown): Error {
  const { socket } = pathsBelow();
  const command = ["sluice", ...process.argv.slice(2)].join(" ");
  if (isDown(error)) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such socket" : "nobody listens there";
    return sluiceError("DAEMON_DOWN", { socket, reason }, { cause: error });
  }
  if (isDenied(error)) return sluiceError("DAEMON_DENIED", { socket, command }, { cause: error });
  return error as Error;
}

/** Calls a route that only the daemon has. @throws SluiceError DAEMON_DOWN, DAEMON_DENIED */
export async function ask<N extends RouteName>(
  context: CliContext,
  name: N,
  call: Call<N>,
  options: { readonly ifMatch?: string } = {},
): Promise<Output<N>> {
  const client = await connect();
  try {
    return await client.call(name, call, { signal: context.signal, onVersion: versionCheck(context), ...options });
  } catch (error) {
    throw unreached(error);
  }
}

/** Follows a stream of the daemon until the user interrupts. */
export async function follow<N extends RouteName>(
  context: CliContext,
  name: N,
  call: Call<N>,
  each: (message: Output<N>) => void,
): Promise<void> {
  const client = await connect();
  try {
    for await (const { message } of client.stream(name, call, { signal: context.signal })) each(message);
  } catch (error) {
    if (!context.signal.aborted) throw unreached(error);
  }
}
