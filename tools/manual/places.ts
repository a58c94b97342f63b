/** Files and variables that the programs know. */
import { pathsBelow } from "../../src/linux/paths.ts";
import { bold, chapter, italic, item, prose } from "./roff.ts";

const PATHS: Readonly<Record<keyof ReturnType<typeof pathsBelow>, string>> = {
  config: "The configuration.",
  state: "What must survive a restart: which circuit has which number, which program is attached where.",
  lock: "Held while the kernel is being changed.",
  socket: "Where `sluiced` listens: for root and the group `sluice` unless the configuration says otherwise.",
  bakery: "The commands of the bakery, when it writes them instead of doing them.",
  pins: "The BPF programs, maps and links.",
  images: "Images that were pulled.",
};

/** The chapter about files. */
export function files(): string {
  const paths = pathsBelow("/");
  const names = Object.keys(paths) as (keyof typeof paths)[];
  return chapter("FILES", ...names.map((name) => item(italic(paths[name]), prose(PATHS[name] ?? ""))));
}

/** The chapter about variables. */
export const environment = (): string =>
  chapter(
    "ENVIRONMENT",
    item(bold("SLUICE_ROOT"), prose("A folder below which all of the files are, instead of `/`.")),
    item(
      bold("SLUICE_LOG"),
      prose("Turns on the logs of `sluice`: `debug`, or levels per category such as `shaper=debug`."),
    ),
    item(bold("SLUICE_REGISTRY_AUTH"), prose("Base64 of user:password for the registry that an image is pulled from.")),
  );
