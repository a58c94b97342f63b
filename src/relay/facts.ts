/** What the relay knows of the box: its interfaces, their addresses, and how hosts are reached. Pure. */

/** An interface. */
export interface LinkFact {
  readonly ifindex: number;
  readonly name: string;
  /** Administratively. */
  readonly up: boolean;
  readonly mtu: number;
  /** Hardware address, 6 bytes; undefined where it has none. */
  readonly mac?: Uint8Array;
  /** Whether it needs a neighbour's hardware address (Ethernet): false for tunnels. */
  readonly ethernet: boolean;
  /** Trains of datagrams that leave by it come in elsewhere on this host as one, where nobody could take them apart. */
  readonly singly?: boolean;
}

/** The box at one moment. */
export interface Facts {
  readonly links: ReadonlyMap<string, LinkFact>;
  /** The address that copies leave by, for each interface that has one: the first of its family that is not link-local. */
  readonly addresses: ReadonlyMap<number, Partial<Readonly<Record<4 | 6, string>>>>;
  /** Hardware address of a host when copies leave by an interface; undefined when it is not known, or nothing leads there. */
  mac(ifindex: number, host: string): Uint8Array | undefined;
}
