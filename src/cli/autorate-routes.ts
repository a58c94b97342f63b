/** The commands about links whose capacity varies. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { json, text, texts } from "./flags.ts";

const imported = buildCommand({
  loader: () => import("./commands/autorate/import.ts"),
  parameters: {
    flags: {
      json,
      program: {
        kind: "enum",
        values: ["lua", "rust", "cake"],
        brief: "Whose settings they are: sqm-autorate, sqm-autorate-rust, cake-autorate (default: as the files look)",
        optional: true,
      },
      uci: text("Its file of UCI, such as /etc/config/sqm-autorate", "FILE"),
      toml: text("Its TOML file", "FILE"),
      env: texts("A file of its variables, or config.NAME.sh of cake-autorate; - for this environment", "FILE"),
      args: text('The flags it was started with, as --args="--ul wan --dl ifb4wan"', "TEXT"),
      output: text("Write it here; never over a file", "FILE"),
    },
    aliases: { j: "json", o: "output" },
  },
  docs: { brief: "Show the [autorate] that does what another program's settings say" },
});

/** `autorate` */
export const autorate = buildRouteMap({
  routes: { import: imported },
  docs: { brief: "Rates that follow what a line carries" },
});
