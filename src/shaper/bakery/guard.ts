/** Which lines for tc the bakery takes: those that make, change or remove a qdisc or a class. */

const OBJECTS = ["qdisc", "class"];
const ACTIONS = ["add", "replace", "change", "del", "delete"];
/** The first character that is no control character; what tc reads as a line's end is one. */
const FIRST_PRINTABLE = " ";
const DELETE = "\x7f";

/**
 * Why a line is not taken, as half a sentence; undefined when it is. `tc` may reach any file and any other tool's filters by
 * its other objects and options, and a `#` hides the rest of a line.
 */
export function refusal(line: string): string | undefined {
  if ([...line].some((character) => character < FIRST_PRINTABLE || character === DELETE))
    return "it has a control character in it";
  const words = line.split(" ").filter((word) => word !== "");
  const [object, action] = words;
  if (object === undefined) return "it is empty";
  if (!OBJECTS.includes(object)) return `"${object}" is neither qdisc nor class`;
  if (action === undefined || !ACTIONS.includes(action)) return `"${action ?? ""}" is none of ${ACTIONS.join(", ")}`;
  if (words.some((word) => word.startsWith("#"))) return "it has a comment in it";
  return undefined;
}
