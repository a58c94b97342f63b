/** The codes of the relay: a part of the registry in `codes.ts`. */
import { config, conflict, data, type ErrorSpec, failure, warning } from "./error-spec.ts";

/** The rows. */
export const RELAY_ERRORS = {
  RELAY_TWICE: config(
    "{path} and {other} are the same: {what}",
    "Remove one of the two, or give both outputs to one rule",
  ),
  RELAY_FULL: config(
    "The rules need {count} counters, one for each rule and each output, and there are {most}",
    "Remove rules, or give some of them fewer outputs",
  ),
  RELAY_IMPORT: data(
    "Cannot read the configuration of MCR: {reason}",
    "Mend it at this place, or write the rules by hand: docs/relay.md",
  ),
  RELAY_CYCLE: warning(
    "Rules lead back to where they begin: {path}",
    "Remove one of them if anything else joins these segments, for packets would go round there; sluice never takes what it sent itself",
  ),
  RELAY_OFF: conflict(
    'There is no [relay] in "{file}", so that nothing carries a rule out',
    "Write a line with [relay] into the file, then run sluice reload",
  ),
  RELAY_DOWN: failure(
    "The relay does not run now, and nothing was changed",
    "See sluice health for what keeps it from starting",
  ),
  RELAY_STATIC: conflict(
    'Rule "{id}" is of the configuration',
    'Change or remove it in "{file}", then run sluice reload',
  ),
  RELAY_TRAFFIC: failure(
    "Cannot {action} {place}: {reason}",
    "Check the interface, that it is up, and its addresses: ip address; --netns names another namespace",
  ),
} as const satisfies Readonly<Record<string, ErrorSpec>>;
