/** Values per direction. */
import { type Both, type Direction, DIRECTIONS } from "./model.ts";

/** Makes a value for each direction. */
export function both<T>(make: (direction: Direction) => T): Both<T> {
  const [download, upload] = DIRECTIONS.map((direction) => make(direction));
  return { download: download!, upload: upload! };
}
