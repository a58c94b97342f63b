/** Traffic to measure by: what `sluice relay generate` sends, and `sluice relay sink` takes in. Needs no daemon. */
import { randomBytes } from "node:crypto";
import { messageOf, problem, SluiceError, sluiceError } from "../../core/errors.ts";
import { ifNameToIndex } from "../../linux/ffi.ts";
import { openNetns } from "../../linux/netns.ts";
import { Generator, type TrafficSent } from "../../relay/traffic/generator.ts";
import { type PlaceArrivals, Sink } from "../../relay/traffic/sink.ts";
import { type GenerateRequest, readGenerate, readSink, type SinkRequest } from "./traffic-request.ts";
import type { TrafficPlace } from "./words.ts";

type Located = Omit<TrafficPlace, "text" | "address"> & { readonly ifindex: number; readonly group: Uint8Array };

/** Where places are in this thread's namespace. @throws SluiceError RELAY_TRAFFIC for each that is nowhere */
function located(places: readonly TrafficPlace[], action: string): Located[] {
  const found = places.map(({ device, address, port }) => ({
    device,
    ifindex: ifNameToIndex(device),
    group: address,
    port,
  }));
  const missing = places.filter((_, index) => found[index]!.ifindex === 0);
  if (missing.length === 0) return found;
  throw new SluiceError(
    missing.map(({ text, device }) =>
      problem("RELAY_TRAFFIC", { action, place: text, reason: `there is no interface "${device}"` }),
    ),
  );
}

/** What could not be opened, unless it is for want of rights: that is told for every command alike. */
function explained(action: string, texts: readonly string[], error: unknown): unknown {
  const { code } = error as { readonly code?: unknown };
  if (error instanceof SluiceError || code === "EPERM" || code === "EACCES") return error;
  return sluiceError("RELAY_TRAFFIC", { action, place: texts.join(", "), reason: messageOf(error) }, { cause: error });
}

/**
 * Sends numbered datagrams to all places at once.
 *
 * @param signal ends it early
 * @throws SluiceError USAGE, NETNS_MISSING, RELAY_TRAFFIC, SystemError EPERM before anything is sent
 */
export async function generateTraffic(request: GenerateRequest, signal: AbortSignal): Promise<TrafficSent> {
  const { places, ttl, source, ...order } = readGenerate(request);
  const action = "send to";
  using ns = request.netns === undefined ? undefined : openNetns(request.netns);
  const open = (): Generator => {
    const targets = located(places, action).map((place) => ({ ...place, ttl, ...(source && { source }) }));
    try {
      return new Generator({ ...order, targets, run: randomBytes(4).readUInt32LE() });
    } catch (error) {
      throw explained(action, request.places, error);
    }
  };
  using generator = ns ? ns.run(open) : open();
  return await generator.run(signal);
}

/**
 * Takes in what comes to all places.
 *
 * @param signal ends it, and what came until then is told
 * @param ready called when it listens
 * @returns by place, in their order
 * @throws SluiceError USAGE, NETNS_MISSING, RELAY_TRAFFIC, SystemError EPERM
 */
export async function sinkTraffic(
  request: SinkRequest,
  signal: AbortSignal,
  ready: () => void,
): Promise<readonly PlaceArrivals[]> {
  const places = readSink(request);
  const action = "listen at";
  using ns = request.netns === undefined ? undefined : openNetns(request.netns);
  const locate = (): Located[] => located(places, action);
  const found = ns ? ns.run(locate) : locate();
  await using sink = await Sink.open(found, ns).catch((error: unknown) => {
    throw explained(action, request.places, error);
  });
  ready();
  return await sink.run(request, signal);
}
