/**
 * A place for a domain's own program on one side of interfaces, among the programs of users: the shaper puts its
 * classifier on the egress side, the relay its forwarder on the ingress side, and the dispatcher, which owns the hooks,
 * offers both.
 */

/** Sides of an interface, where TC runs programs. */
export type TcSide = "ingress" | "egress";

/** An interface, by number for the kernel and by name for people. */
export interface Device {
  readonly ifindex: number;
  readonly name: string;
}

/** A program to be put there. */
export interface TcProgram {
  /** The object file. */
  readonly image: Uint8Array;
  /** What it is called in plans and errors. */
  readonly label: string;
  /** The function's name. */
  readonly name: string;
  /** Global data in hex by the variable's name, in the order of memory. */
  readonly globals: Readonly<Record<string, string>>;
  /** Maps to take from pins: absolute paths by name. */
  readonly reuse: Readonly<Record<string, string>>;
}

/** What stands there. */
export interface TcState {
  /** The kernel's id of the program that packets run through; undefined when it was taken away from under us. */
  readonly programId?: number;
}

/** The place, on one side, in one network namespace, for one owner. Changes are made by whoever holds the lock. */
export interface TcHost extends Disposable {
  /** What the owner has on an interface; undefined when nothing. */
  stateOf(device: Device): TcState | undefined;
  /**
   * Puts a program there, in the place of the owner's that is there: packets meet the one or the other, never none.
   *
   * @returns the kernel's id of it
   * @throws SluiceError; then the interface is as it was
   */
  put(device: Device, program: TcProgram): Promise<number>;
  /** Takes the owner's program away, with a clsact qdisc that was made for it and that nobody else uses. */
  remove(device: Device): Promise<void>;
}
