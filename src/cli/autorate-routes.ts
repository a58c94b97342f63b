/** The commands about links whose capacity varies. */
import { buildCommand, buildRouteMap, numberParser } from "@stricli/core";
import { argument, flag, json, text, texts, tuple } from "./flags.ts";

const link = argument("Name of a link of [autorate]", "LINK");
const optionalLink = { kind: "tuple", parameters: [{ ...link, optional: true }] } as const;

const status = buildCommand({
  loader: () => import("./commands/autorate/status.ts"),
  parameters: {
    flags: {
      json,
      ticks: {
        kind: "parsed",
        parse: numberParser,
        brief: "Of one link: at most so many of its last ticks (default 20)",
        placeholder: "N",
        optional: true,
      },
    },
    aliases: { j: "json" },
    positional: optionalLink,
  },
  docs: { brief: "What links do and why: rates, loads, delays, reflectors, decisions" },
});

const watch = buildCommand({
  loader: () => import("./commands/autorate/watch.ts"),
  parameters: { flags: { json }, aliases: { j: "json" }, positional: optionalLink },
  docs: { brief: "Decisions as they are made, until interrupted" },
});

const trace = buildCommand({
  loader: () => import("./commands/autorate/trace.ts"),
  parameters: { flags: {}, positional: tuple(link) },
  docs: { brief: "Write a trace of a link to the standard output, until interrupted" },
});

const replay = buildCommand({
  loader: () => import("./commands/autorate/replay.ts"),
  parameters: {
    flags: {
      json,
      controller: {
        kind: "parsed",
        parse: String,
        brief: "sluice, ewma, cake, or the path of a Lua script",
        placeholder: "NAME",
        default: "sluice",
      },
      own: flag("Go on from the controller's own rates instead of the recorded ones"),
      seed: { kind: "parsed", parse: numberParser, brief: "Of its random numbers", placeholder: "N", default: "1" },
      all: flag("Show every tick, not only those that differ"),
    },
    aliases: { j: "json" },
    positional: tuple(argument("A trace: trace_file of a link, or what sluice autorate trace wrote", "TRACE")),
  },
  docs: { brief: "Run a controller over a recorded trace" },
});

const simulate = buildCommand({
  loader: () => import("./commands/autorate/simulate.ts"),
  parameters: {
    flags: {
      json,
      controller: {
        kind: "parsed",
        parse: String,
        brief:
          "none, sluice, ewma or cake, with options if wanted: sluice:headroom=0.05,excess=0.1 (default: all of them)",
        placeholder: "NAME",
        variadic: true,
        optional: true,
      },
      scenario: texts("What happens to the line, such as download, upload, outage (default: all there are)", "NAME"),
      seeds: {
        kind: "parsed",
        parse: numberParser,
        brief: "Runs of each, every one a bit different",
        placeholder: "N",
        default: "5",
      },
    },
    aliases: { j: "json" },
  },
  docs: { brief: "Compare controllers and their options on simulated lines" },
});

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
  routes: { status, watch, trace, replay, simulate, import: imported },
  docs: { brief: "Links whose rates follow what their lines carry" },
});
