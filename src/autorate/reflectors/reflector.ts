/** A host on the Internet that answers pings. */

/** One of them. */
export interface Reflector {
  /** In its usual form. */
  readonly address: string;
  readonly family: 4 | 6;
  /** For people; may be empty. */
  readonly description: string;
}
