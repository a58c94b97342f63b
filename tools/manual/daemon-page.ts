/** sluiced(8): the daemon. */
import type { HelpPage } from "../command-line/daemon.ts";
import { exitStatus } from "./exits.ts";
import { flagItem } from "./flags.ts";
import { files } from "./places.ts";
import { bold, chapter, type Edition, head, item, plain, prose, seeAlso, usage } from "./roff.ts";

/** The page, in roff. */
export function daemonPage({ name, root, sections }: HelpPage, edition: Edition): string {
  return `${[
    head(name, 8, edition),
    chapter("NAME", String.raw`${plain(name)} \- ${plain(root.brief)}`),
    chapter("SYNOPSIS", usage(root.usage)),
    chapter(
      "DESCRIPTION",
      prose("Reads the configuration and the files it names, and makes the kernel hold what they say."),
      ".PP",
      prose(
        "What is in the kernel stays there when the daemon ends, so that traffic is shaped while it is restarted or upgraded. `sluice cleanup` takes it away.",
      ),
      ".PP",
      prose(
        "When it cannot use its configuration it goes on with the last one that was good; without one it ends with exit code 78. A file with an error changes nothing.",
      ),
    ),
    chapter("FLAGS", ...root.flags.map((flag) => flagItem(flag))),
    ...sections.map(([title, rows]) =>
      chapter(title, ...rows.map(([term, meaning]) => item(bold(term), plain(meaning)))),
    ),
    chapter(
      "SERVICE",
      prose(
        "`systemctl start sluiced` starts it, `systemctl reload sluiced` makes it read its files anew, `journalctl -u sluiced` shows its log. `systemctl status sluiced` has its state in a line.",
      ),
      ".PP",
      prose(
        "Whoever is in the group `sluice` may use its socket, and by that may change the traffic of this machine: `adduser USER sluice`.",
      ),
    ),
    exitStatus(),
    files(),
    seeAlso("sluice(1)", "sluice.toml(5)", "systemctl(1)"),
  ].join("\n")}\n`;
}
