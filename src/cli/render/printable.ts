/** Text of the user's files as a terminal may get it: a name must not move the cursor, ring or change colours. */

const DELETE = 0x7f;
const PICTURES = 0x2400;
const DELETE_PICTURE = "\u2421";
const REPLACEMENT = "\uFFFD";

function picture(control: string): string {
  const code = control.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(PICTURES + code);
  return code === DELETE ? DELETE_PICTURE : REPLACEMENT;
}

/** The text with control characters as the pictures that Unicode has of them; with `lines`, newlines stay. */
export function printable(text: string, { lines = false } = {}): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => (lines && control === "\n" ? control : picture(control)));
}
