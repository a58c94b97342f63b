/** What can be wrong with a running system: declared objects, each with a code that never changes its meaning. */

/** A row of the table. `{name}` in the message stands for a value of the moment. */
export interface ConditionSpec {
  readonly severity: "error" | "warning";
  readonly title: string;
  readonly message: string;
  readonly remedy: string;
}

/** Every condition. */
export const CONDITIONS = {
  CONFIG_REFUSED: {
    severity: "error",
    title: "The files have errors and were not taken",
    message: "The configuration was not taken: {reason}",
    remedy: "Mend what sluice check tells of, then run sluice reload",
  },
  CONFIG_PINNED: {
    severity: "warning",
    title: "Somebody went back to an earlier configuration",
    message: "The kernel is held to configuration {id}, whatever the files say now",
    remedy: "Mend the files, then run sluice reload to go by them again",
  },
  APPLY_FAILED: {
    severity: "error",
    title: "The kernel does not hold what the configuration says",
    message: "The configuration could not be applied: {reason}",
    remedy: "Remove the cause; the daemon tries again when the kernel changes, and on sluice reload",
  },
  LINK_MISSING: {
    severity: "error",
    title: "An interface that is to be shaped is not there",
    message: "{reason}",
    remedy: "Bring it up, or correct [shaper]; the daemon goes on by itself when it appears",
  },
  DRIFT: {
    severity: "warning",
    title: "Somebody else changed what sluice made",
    message: "The kernel differs from the configuration: {what}",
    remedy: "Run sluice apply to put it back, or set daemon.drift to heal",
  },
  DRIFT_CONTESTED: {
    severity: "warning",
    title: "Somebody else keeps changing what sluice made",
    message: "What sluice made was changed again and again; it is put back every {seconds} s at most",
    remedy: "Find who else manages these interfaces (sluice event list --kind drift.found) and stop one of the two",
  },
  SHAPING_OFF: {
    severity: "warning",
    title: "Everything on the link was taken away",
    message: "sluice cleanup took everything away, and nobody has asked for it since",
    remedy: "Run sluice apply to shape again",
  },
  BAKERY_DRIVES: {
    severity: "warning",
    title: "The bakery builds the tree",
    message: "bakery.mode is execute: the tree is what the bakery's callers make of it, not what the files say",
    remedy: "Run sluice bakery mode file to let the daemon build it again",
  },
  RELAY_WAITING: {
    severity: "warning",
    title: "Rules of the relay are not carried out",
    message: "Of the relay's rules, {what}",
    remedy: "Look at sluice relay rule list; they go on by themselves when what they wait for is there",
  },
  DISPATCHER_FAILING: {
    severity: "warning",
    title: "Programs and links cannot be brought together with the store",
    message: "Programs and links could not be looked after: {reason}",
    remedy: "Run sluice doctor and sluice gc, which say more",
  },
  PART_FAILING: {
    severity: "warning",
    title: "A part of the daemon keeps failing",
    message: "{part} fails again and again: {reason}",
    remedy: "Look at sluice event list and the log; report it if nothing explains it",
  },
  STORE_FAILING: {
    severity: "error",
    title: "The state database cannot be written",
    message: "Cannot keep what happens: {reason}",
    remedy: "Make room on the disk, or mend its rights; nothing else stops meanwhile",
  },
  TOKEN_UNREADABLE: {
    severity: "error",
    title: "The token for TCP cannot be read",
    message: "Nobody can use the API over TCP: {reason}",
    remedy: "Put a token of 16 characters or more into api.token_file, readable by root only, then run sluice reload",
  },
  AUTORATE_FAILED: {
    severity: "error",
    title: "A link cannot be put under control",
    message: "The rate of {link} does not follow its line: {reason}",
    remedy: "Remove the cause; it is tried again by itself, and at once on sluice reload",
  },
  AUTORATE_TARGET_MISSING: {
    severity: "error",
    title: "What autorate is to set is not there",
    message: "Cannot set {direction} of {link}: {target}: {reason}",
    remedy: "Make the qdisc or class, or name another target; it is looked for all the time",
  },
  AUTORATE_REFUSED: {
    severity: "error",
    title: "The kernel does not take the rate that autorate sets",
    message: "The {direction} of {link} does not follow its line: {reason}",
    remedy: "Look at tc -s qdisc show and tc -s class show; it is tried again at every tick",
  },
  AUTORATE_BLIND: {
    severity: "error",
    title: "No reflector answers, though traffic flows",
    message: "The line of {link} is not seen: {reason}",
    remedy: "Look at sluice autorate status; name reflectors that answer pings from here in reflector_file",
  },
  AUTORATE_PLUGIN: {
    severity: "warning",
    title: "A plugin of autorate is not asked any more",
    message: "The plugin {plugin} of {link} is disabled: {reason}",
    remedy: "Mend the script, then run sluice reload",
  },
} as const satisfies Readonly<Record<string, ConditionSpec>>;

/** The code of a condition. */
export type ConditionCode = keyof typeof CONDITIONS;
