/** What is known of a packet: written by the parser, read by who sends it on. One is used again and again. */
export class Packet {
  /** Index in REASONS of why it is passed over; -1: it is a UDP datagram. */
  reason = -1;
  family: 4 | 6 = 4;
  /** 0: untagged. */
  vlan = 0;
  /** Destination port. */
  port = 0;
  /** Type of service or traffic class, all 8 bits. */
  tos = 0;
  /** Where the IP header begins. */
  ipAt = 0;
  /** Where the UDP header begins. */
  udpAt = 0;
  /** Bytes of UDP payload, which begins 8 after `udpAt`; those of all datagrams of an aggregate. */
  payload = 0;
  /** Bytes of payload of each datagram; of the last of an aggregate, this much or less. */
  segment = 0;
  /** How many datagrams it is. */
  segments = 1;
  /** Words of the addresses, network order, signed; IPv4 has one. */
  readonly destination = new Int32Array(4);
  readonly source = new Int32Array(4);
}
