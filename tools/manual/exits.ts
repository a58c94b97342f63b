/** The exit codes, as docs/errors.md has them. */
import { errorsDoc } from "../errors-doc.ts";
import { chapter, item, prose } from "./roff.ts";

/** The chapter about them. @throws TypeError when docs/errors.md is made in another way */
export function exitStatus(): string {
  const [, list = ""] = /^## Exit codes\n\n((?:- .*\n)+)/m.exec(errorsDoc()) ?? [];
  const rows = Array.from(list.matchAll(/^- (\d+): (.*)$/gm), ([, code = "", meaning = ""]) =>
    item(code, prose(meaning)),
  );
  if (rows.length === 0) throw new TypeError("Cannot find the exit codes in what tools/errors-doc.ts writes");
  return chapter("EXIT STATUS", ...rows);
}
