/** Both directions of traffic, and values per direction. */

/** Towards the subscriber (leaves by the LAN side) or away from it (leaves by the Internet side). */
export type Direction = "download" | "upload";
/** Both, in the order in which everything is built and shown. */
export const DIRECTIONS: readonly Direction[] = ["download", "upload"];

/** One value per direction. */
export interface Both<T> {
  readonly download: T;
  readonly upload: T;
}

/** Makes a value for each direction. */
export const both = <T>(make: (direction: Direction) => T): Both<T> => ({
  download: make("download"),
  upload: make("upload"),
});
