/** Round trips of small UDP datagrams between namespaces, as a game or a call would feel them. */
import { once } from "node:events";
import { createSocket, type Socket } from "node:dgram";
import { setTimeout } from "node:timers/promises";
import type { Netns } from "../../src/linux/netns.ts";
import { boundUdp } from "./udp.ts";
import { prefixes } from "./isp.ts";

/** A dgram socket that lives in a namespace. */
async function socketIn(ns: Netns, address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  const listening = once(socket, "listening");
  socket.bind({ fd: boundUdp(ns, prefixes(address)[0]!) });
  await listening;
  return socket;
}

/** Sends everything back to where it came from. Dispose to end it. */
export class UdpEcho implements Disposable {
  readonly #socket: Socket;
  readonly port: number;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  }

  static async start(ns: Netns, address: string): Promise<UdpEcho> {
    return new UdpEcho(await socketIn(ns, address));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** What pings took. */
export interface RoundTrips {
  /** Milliseconds, shortest first, of those that came back. */
  readonly times: readonly number[];
  readonly sent: number;
}

/** The time below which this share of the pings stayed. */
export const percentile = ({ times }: RoundTrips, share: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;

/** Sends a ping of 64 bytes every 20 ms for some time, and waits a second for the last ones. */
export async function ping(
  ns: Netns,
  from: string,
  to: { readonly address: string; readonly port: number },
  milliseconds: number,
): Promise<RoundTrips> {
  const socket = await socketIn(ns, from);
  const left = new Map<number, number>();
  const times: number[] = [];
  socket.on("message", (message) => {
    const number = message.readUInt32LE(0);
    times.push(performance.now() - left.get(number)!);
    left.delete(number);
  });
  const count = Math.round(milliseconds / 20);
  for (let number = 0; number < count; number += 1) {
    const message = Buffer.alloc(64);
    message.writeUInt32LE(number, 0);
    left.set(number, performance.now());
    socket.send(message, to.port, to.address);
    await setTimeout(20);
  }
  for (let waited = 0; left.size > 0 && waited < 1000; waited += 20) await setTimeout(20);
  socket.close();
  return { times: times.toSorted((a, b) => a - b), sent: count };
}
