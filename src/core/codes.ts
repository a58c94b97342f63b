/**
 * The error registry. A code is never reused for another meaning and never renamed; `docs/errors.md` is generated from
 * this table and a test keeps the two together.
 */
import { AUTORATE_ERRORS } from "./codes-autorate.ts";
import { DAEMON_ERRORS } from "./codes-daemon.ts";
import { RELAY_ERRORS } from "./codes-relay.ts";
import { config, conflict, data, type ErrorSpec, failure, untakeable, warning } from "./error-spec.ts";
import { EXIT } from "./exit.ts";

export type { ErrorSpec } from "./error-spec.ts";

/** Every code, with its message template, remedy, HTTP status and exit code. */
export const ERRORS = {
  // Files
  FILE_UNREADABLE: data(
    'Cannot read "{file}": {reason}',
    "Check that the path is right and that this user may read it",
  ),
  FILE_ENCODING: data('Cannot decode "{file}": {reason}', "Save the file as UTF-8"),

  // Configuration
  CONFIG_UNREADABLE: config(
    'Cannot read the configuration "{file}": {reason}',
    "Name another file with --config, or create this one; examples/isp/sluice.toml is a start",
  ),
  CONFIG_SYNTAX: config("Cannot parse the configuration: {reason}", "Mend the TOML at this place"),
  CONFIG_VALUE: config("Cannot use {path}: {reason}", "See docs/configuration.md for what {path} takes"),
  CONFIG_MISSING: config("The configuration has no {path}", "Add {path}, such as {example}"),
  CONFIG_KEY_UNKNOWN: config(
    "The configuration has {path}, which sluice does not know{hint}",
    "Correct or remove it; docs/configuration.md lists every key",
  ),

  // network.json
  NETWORK_SYNTAX: data("Cannot parse the network as JSON: {reason}", "Mend the JSON at this place"),
  NETWORK_SHAPE: data("Cannot use {what}: it is {actual}, wanted {wanted}", "Give {what} as {wanted}"),
  NETWORK_DUPLICATE_KEY: data(
    'Key "{key}" stands twice in one object, first on line {first}',
    "Remove or rename one of the two",
  ),
  NETWORK_DUPLICATE_NODE: data(
    'Node name "{name}" is used twice, first on line {first} ({path})',
    "Give every node in the tree a name of its own",
  ),
  NETWORK_RESERVED_NAME: data('Node name "{name}" is not usable: {reason}', "Rename the node"),
  NETWORK_RATE_MISSING: data('Node "{node}" has no {field}', "Add {field} with the node's capacity in Mbit/s"),
  NETWORK_RATE_INVALID: data('Node "{node}" has {field} = {value}, wanted {wanted}', "Correct {field}"),
  NETWORK_MIN_ABOVE_MAX: data(
    'Node "{node}" has {field} = {min} Mbit/s above its maximum of {max} Mbit/s',
    "Lower {field} or raise the maximum",
  ),
  NETWORK_VIRTUAL_ONLY: warning(
    'The circuits of virtual node "{node}" hang on the link itself, as no real node is above it: {circuits}',
    "Give it rates and make it a real node if it has a capacity; else nothing needs to be done",
  ),
  NETWORK_FIELD_UNKNOWN: warning(
    'Node "{node}" has {field}, which sluice does not read; did you mean {wanted}?',
    "Rename it to {wanted} if that is what it says",
  ),

  // ShapedDevices.csv
  DEVICES_SYNTAX: data("Cannot parse the device list: {reason}", "Mend the quoting at this place"),
  DEVICES_NO_HEADER: data(
    "The device list has no header row: {reason}",
    "Let the first row name the columns: {example}",
  ),
  DEVICES_EMPTY: warning(
    "The device list has no devices, so nobody is shaped by a plan",
    "Check that the right file was exported",
  ),
  DEVICES_HEADER_MISSING: data(
    "The device list has no column for {column}; found: {found}",
    "Add a column named {column} to the header row",
  ),
  DEVICES_COLUMN_UNKNOWN: warning(
    'Column "{name}" is not read; did you mean "{wanted}"?',
    'Rename it to "{wanted}" if that is what it holds',
  ),
  DEVICES_HEADER_DUPLICATE: data(
    'Columns {first} and {second} both mean {column} ("{name}")',
    "Remove or rename one of the two",
  ),
  DEVICES_ROW_LENGTH: data(
    "The row has {actual} cells, the header has {wanted}",
    "Give every column a cell; quote cells that hold commas",
  ),
  DEVICES_CIRCUIT_ID_MISSING: data("The row has no circuit id", "Fill the Circuit ID cell"),
  DEVICES_DUPLICATE_DEVICE: data(
    'Device id "{device}" stands twice, first on line {first}',
    "Give every device an id of its own, or remove one row",
  ),
  DEVICES_DUPLICATE_CIRCUIT: data(
    'Circuit "{circuit}" disagrees with its first row on line {first}: {field} is {actual} here and {wanted} there',
    "Give all rows of a circuit the same {field}, or use another circuit id",
  ),
  DEVICES_PARENT_UNKNOWN: data(
    'Circuit "{circuit}" names the parent node "{parent}", which is not in the network{hint}',
    "Correct the Parent Node cell, or add the node to the network",
  ),
  DEVICES_RATE_INVALID: data(
    "{field} is {value}, wanted {wanted}",
    "Give a plain number such as 25 or 2.5, without unit",
  ),
  DEVICES_MIN_ABOVE_MAX: data(
    'The {direction} minimum of circuit "{circuit}" is {min} Mbit/s, above its maximum of {max} Mbit/s',
    "Lower the minimum or raise the maximum",
  ),
  DEVICES_ADDRESS_INVALID: data(
    '{field} holds "{value}", {reason}',
    "Write a host or a network such as {example}; several are parted by commas",
  ),
  DEVICES_ADDRESS_COLUMN: data(
    'The {field} column holds "{value}", which is an {family} address',
    "Move it to the {family} column",
  ),
  DEVICES_ADDRESS_DUPLICATE: data(
    'Address {address} of device "{device}" {taken}',
    "Let every address stand once in the list",
  ),
  DEVICES_ADDRESS_OVERLAP: data(
    'Address {address} of circuit "{circuit}" lies in {outer} of circuit "{other}" on line {first}',
    "Split {outer} so that every address belongs to one circuit",
  ),
  DEVICES_MAC_INVALID: warning(
    'MAC is "{value}", wanted six pairs of hex digits; it is shown as it is',
    "Correct or empty the cell",
  ),
  DEVICES_LEAF_INVALID: data('sqm is "{value}": {reason}', 'Use cake, fq_codel, fifo, none, or "down/up" of these'),
  DEVICES_NO_ADDRESS: warning(
    'Circuit "{circuit}" has no address, so no packet can reach its class',
    "Fill the IPv4 or IPv6 cell of one of its devices",
  ),
  DEVICES_NO_PARENTS: warning(
    "No circuit names a parent node, so no node of the network limits anybody",
    "Fill the Parent Node cells, or empty the network file to {} if it is meant to be flat",
  ),

  // The tree
  SHAPER_MINIMUMS_OVERSUBSCRIBED: data(
    "The {direction} minimums below {parent} add up to {sum}, more than its {rate}",
    'Lower the minimums below {parent} or raise its rate; or set shaper.minimums = "scale" to give each its share',
  ),
  SHAPER_FLOORS_OVERSUBSCRIBED: data(
    "Below {parent} are so many classes that {floor} {direction} for each, the least HTB is given, make {sum}, more than its {rate}",
    "Raise the rate of {parent}, or hang circuits elsewhere",
  ),
  SHAPER_ID_OVERFLOW: data(
    "{missing} nodes are left without a class id: an interface has {available} for nodes",
    "Remove levels that limit nothing, or split the network over more interfaces",
  ),
  SHAPER_QDISC_LIMIT: data(
    "{missing} circuits are left without a qdisc handle: an interface can hold {available} of them",
    "Split the network over more interfaces",
  ),
  SHAPER_MEMORY: data(
    "The leaf qdiscs need {needed} of kernel memory ({detail}), the machine has {available} free",
    'Use shaper.leaf = "fq_codel" (74 KiB each instead of 1,060), or add memory',
  ),
  SHAPER_MINIMUMS_SCALED: warning(
    "The {direction} minimums below {parent} add up to {sum}, more than its {rate}: each was scaled to {percent} %",
    "Lower the minimums or raise the rate of {parent} if the guarantees matter",
  ),
  SHAPER_TREE_FLATTENED: warning(
    "The tree is deeper than the {levels} levels of nodes that HTB allows: {nodes} moved up to {parent}",
    "Remove levels above them that limit nothing, if their parents' rates must hold for them together",
  ),
  SHAPER_TREE_FOLDED: warning(
    "The tree is deeper than the {levels} levels of nodes that HTB allows: {nodes} got no class, as they limit nothing of their own",
    "Nothing needs to be done; every rate still holds",
  ),
  SHAPER_CEIL_CAPPED: warning(
    "{what} is planned at {rate} {direction}, but {limit} limits it to {ceil}",
    "Raise the rate of {limit}, or accept that the plan cannot be reached",
  ),
  SHAPER_LEAF_FALLBACK: warning(
    'This kernel has {missing}: leaf = "auto" uses {used}',
    "Load the sch_cake module (modprobe sch_cake) or use a kernel that has it, for fair queueing inside each circuit",
  ),
  SHAPER_LEAF_UNAVAILABLE: {
    ...data(
      'The leaf "{leaf}" needs the kernel\'s sch_{leaf}, which is not there',
      'Load the module (modprobe sch_{leaf}), or set shaper.leaf = "auto"',
    ),
    exit: EXIT.unavailable,
    status: 503,
  },
  SHAPER_LINK_PER_QUEUE: warning(
    "The plans on {device} add up to more than the link's {rate}, and HTB holds that rate per queue, not over all {queues}",
    "Set shaper.queues = 1 to hold the link's rate exactly, at the price of one core, or let the line itself be the limit",
  ),

  // LibreQoS's dialect
  LIBREQOS_WARNING: warning('{reason}; LibreQoS goes on and says "{text}"', "{remedy}"),
  LIBREQOS_REFUSED: data('{reason}; LibreQoS refuses the file and says "{text}"', "{remedy}"),
  LIBREQOS_CRASH: data("{reason}; LibreQoS ends here with {text}", "{remedy}"),
  LIBREQOS_CONF: config("Cannot use {path} of lqos.conf: {reason}", "Correct {path}"),
  LIBREQOS_QUEUES: {
    ...config(
      "LibreQoS needs two transmit queues on every interface and two processors; there are {found}",
      "Name the number of queues with --queues, or use sluice's own dialect, which needs one",
    ),
    exit: EXIT.unavailable,
    status: 503,
  },
  LIBREQOS_LINES_LOST: warning(
    'Nothing comes of {count} of LibreQoS\'s lines, the first is "{line}": {reason}',
    "Give nodes at least 1 Mbit/s and the line at least 4; sluice's own dialect takes any rate",
  ),
  LIBREQOS_ID_OVERFLOW: data(
    "{count} classes have ids beyond 16 bits, which LibreQoS writes and the kernel cannot hold",
    "Use more queues, or sluice's own dialect, whose numbers go further",
  ),
  LIBREQOS_ADDRESS: warning(
    'Address "{address}" of circuit "{circuit}" has a form that no classifier takes, so its packets are not classified',
    "Write it as a host or with a prefix length",
  ),

  // The bakery
  BAKERY_COMMAND: data("Cannot take {what}: it is {value}, wanted {wanted}", "{remedy}"),
  BAKERY_BUSY: {
    message: "The bakery is busy: {waiting} commands wait, and it takes no more",
    remedy: "Send the command again when others have been answered",
    status: 503,
    exit: EXIT.unavailable,
  },
  BAKERY_LINES: untakeable(
    "{command} failed on {failed} of {total} lines: {lines}",
    "Look at these lines and at the state that they met (tc qdisc show, tc class show); what stands after the first of them " +
      "was done only if the command was forced",
  ),

  // The dispatcher
  PROGRAM_UNKNOWN: {
    message: "Program {id} does not exist",
    remedy: "sluice program list shows those that are loaded, with their ids",
    status: 404,
    exit: EXIT.failure,
  },
  PROGRAM_UNMANAGED: {
    message: 'Program {id} ("{name}") exists in the kernel but is not managed by sluice',
    remedy: "Load it with sluice program load; what other tools loaded is left to them",
    status: 409,
    exit: EXIT.failure,
  },
  PROGRAM_KIND: data(
    "Program {id} is a {type} program; the {kind} attach accepts {takes}",
    "Attach it as what it is, or load the object again with another type",
  ),
  LINK_UNKNOWN: {
    message: "Link {id} does not exist",
    remedy: "sluice link list shows those that there are, with their ids",
    status: 404,
    exit: EXIT.failure,
  },
  LINK_UNMANAGED: {
    message: "Link {id} exists in the kernel but is not managed by sluice",
    remedy: "Use sluice's own link ids (sluice link list); what other tools attached is left to them",
    status: 409,
    exit: EXIT.failure,
  },
  DISPATCHER_UNKNOWN: {
    message: "There is no {hook} dispatcher on interface {ifindex} of namespace {nsid}",
    remedy: "sluice dispatcher list shows those that there are",
    status: 404,
    exit: EXIT.failure,
  },
  DISPATCHER_FULL: {
    message: "Cannot attach to {hook} on {device}: no free dispatcher slots (all {slots} occupied)",
    remedy: "Detach a program there first (sluice link list), or join two programs into one",
    status: 409,
    exit: EXIT.failure,
  },
  DISPATCHER_BUILD: failure(
    "Cannot build the {engine} dispatcher for {place}: {reason}",
    "Nothing was changed; detach the member that the reason names, or try the other engine with --engine",
  ),
  PROGRAM_LOST: failure(
    'Program {id} ("{name}") has lost {what}',
    "Run sluice doctor, then sluice gc; load the program again",
  ),
  FOREIGN_XDP: {
    message: "Interface {device} already has an XDP program attached by somebody else: {program}",
    remedy: "Detach it with the tool that attached it (ip link set dev {device} xdp off), then attach again",
    status: 409,
    exit: EXIT.failure,
  },
  XDP_DRIVER: {
    message: "The driver of {device} does not take this XDP program as the interface is set up: {reason}",
    remedy:
      "Make its MTU smaller (ip link set dev {device} mtu 1500), build the program for packets in several buffers " +
      "(SEC xdp.frags), or attach with --xdp-mode generic",
    status: 409,
    exit: EXIT.failure,
  },
  TCX_DUPLICATE: {
    message: "Program {id} is already attached to {device} {side} as link {link}; detach it first",
    remedy: "sluice link detach {link}, or load the program a second time: the kernel takes each once per hook",
    status: 409,
    exit: EXIT.failure,
  },
  DEVICE_MISSING: {
    message: 'Interface "{device}" does not exist in {where}',
    remedy: "ip link lists what is there; --netns names another network namespace",
    status: 404,
    exit: EXIT.unavailable,
  },
  OBJECT_INVALID: data('Cannot read the object "{object}": {reason}', "Build it with clang -O2 -g -target bpf"),
  OBJECT_PROGRAM_MISSING: data(
    'Object "{object}" has no program "{name}"; it has: {names}',
    "Name the C function, not the section",
  ),
  OBJECT_TYPE_MISMATCH: data(
    'Program type mismatch: "{name}" was asked for as {type} but its ELF section "{section}" implies {implied}',
    "Name the type that its section implies, or build it with another SEC()",
  ),
  OBJECT_GLOBAL_UNKNOWN: data(
    'Object "{object}" has no global variable "{name}"; it has: {names}',
    "Correct the name; a variable that the program never reads is not in the object",
  ),
  OBJECT_GLOBAL_SIZE: data(
    'Global variable "{name}" was given {actual} bytes, it takes {wanted}',
    "Give every byte as two hex digits, in the order in which they stand in memory",
  ),
  MAP_OWNER_UNKNOWN: data(
    "map_owner_id {id} does not exist",
    "Name a program that made its maps itself; sluice program get shows the map owner",
  ),
  MAP_UNLIKE: data(
    'Cannot share the map "{map}" of "{object}": the one pinned at {path} is of another type or size',
    "Build both programs with the same definition, or unload the one that made the map first",
  ),
  FEATURE_MISSING: {
    message: "{what} is not supported by this kernel: {reason}",
    remedy: "{remedy}",
    status: 501,
    exit: EXIT.unavailable,
  },
  TRACE_TARGET: data("Cannot attach to {target}: {reason}", "{remedy}"),
  DISPATCHER_LEFTOVER: warning(
    "The change was made; something around it was not as expected: {reason}",
    "Run sluice doctor; sluice gc removes what is left over",
  ),
  DISPATCHER_HEALS: warning(
    "The state is not coherent, and any change heals it first: {what}",
    "Run sluice gc now and plan again, to see the change alone",
  ),
  DISPATCHER_UNHEALED: warning(
    "Something is not coherent and could not be mended ({what}): {reason}",
    "Run sluice doctor, take away what is in the way, then run sluice gc",
  ),
  DISPATCHER_HEALED: warning(
    "The state was not coherent and was healed first: {what}",
    "Nothing needs to be done; sluice doctor tells of anything that is left",
  ),

  // Images
  IMAGE_REFERENCE: {
    message: 'Cannot use the image reference "{reference}": {reason}',
    remedy: "Write registry/repository:tag, registry/repository@sha256:DIGEST, or oci:FOLDER:tag",
    status: 400,
    exit: EXIT.usage,
  },
  IMAGE_CREDENTIALS: {
    message: "Cannot use the registry's credentials: {reason}",
    remedy: "Give base64 of USER:PASSWORD, as printf %s USER:PASSWORD | base64 -w0 makes it",
    status: 400,
    exit: EXIT.usage,
  },
  IMAGE_UNREACHABLE: {
    message: "Cannot fetch the image {reference}: {reason}",
    remedy: "Check its name and the network, and try again; pull policy Never takes what is in the cache",
    status: 502,
    exit: EXIT.unavailable,
  },
  IMAGE_DENIED: {
    message: "The registry does not give out the image {reference}: {reason}",
    remedy: "Check its name, and give credentials that may read it with --registry-auth or SLUICE_REGISTRY_AUTH",
    status: 403,
    exit: EXIT.permission,
  },
  IMAGE_NOT_FOUND: {
    message: "There is no image {reference}: {reason}",
    remedy: "Check the repository and the tag",
    status: 404,
    exit: EXIT.failure,
  },
  IMAGE_NOT_CACHED: {
    message: "image {reference} not in cache and pull policy is Never",
    remedy: "Load it once with pull policy IfNotPresent where the registry can be reached",
    status: 404,
    exit: EXIT.failure,
  },
  IMAGE_PLATFORM: data(
    "The image {reference} is for {found}, wanted {wanted}",
    "Build it for {wanted} too, as one image of several platforms",
  ),
  IMAGE_DIGEST: {
    ...data(
      "The image {reference} is not what its digest says: {what} is {actual}, wanted {wanted}",
      "Try again; if it stays so, do not use the image and tell who runs the registry",
    ),
    status: 502,
  },
  IMAGE_TOO_LARGE: data(
    "The image {reference} is too large: {what} has {actual}, the limit is {limit}",
    "Check that it is an image of BPF bytecode, which holds one object file of at most 16 MiB",
  ),
  IMAGE_INVALID: data(
    "Cannot use the image {reference}: {reason}",
    "Build it as one layer with one BPF object (.o) at its root, as FROM scratch and COPY program.o / do",
  ),
  IMAGE_LABEL: data(
    "Cannot read the label {label} of the image {reference}: {reason}",
    "Let {label} be a JSON object of texts, such as {example}",
  ),

  // The machine
  INTERFACE_MISSING: {
    ...config(
      'Interface "{device}" does not exist',
      "Correct shaper.{field} or create the interface; ip link lists what is there",
    ),
    exit: EXIT.unavailable,
    status: 503,
  },
  NETNS_MISSING: {
    ...config('There is no network namespace "{name}"', "Correct --netns; ip netns list shows those that are there"),
    exit: EXIT.unavailable,
    status: 503,
  },
  PATH_UNUSABLE: failure('Cannot {action} "{file}": {reason}', "Check the path, its rights and the disk"),
  PROGRAM_MISSING: {
    message: 'Cannot run the program "{program}": it is not on the PATH',
    remedy: "Install iproute2 (apt-get install iproute2), or leave out --executor tc",
    status: 503,
    exit: EXIT.unavailable,
  },
  FOREIGN_QDISC: conflict(
    "Interface {device} has the root qdisc {qdisc}, which sluice did not make",
    "Remove it (tc qdisc del dev {device} root), or run again with --replace-foreign to replace it",
  ),
  FOREIGN_QUEUE: conflict(
    "Interface {device} has the qdisc {qdisc} on a transmit queue below sluice's own mq",
    "Remove it: tc qdisc del dev {device} parent {parent}",
  ),
  FOREIGN_INGRESS: conflict(
    'Cannot attach to {device}: a "{qdisc}" qdisc already occupies the ingress qdisc slot, where clsact is needed',
    "Use clsact, which takes the same filters: tc qdisc del dev {device} ingress, tc qdisc add dev {device} clsact",
  ),
  LINK_LEFT: conflict(
    "Interface {device} still holds what sluice made there, and is not in this configuration",
    "Run sluice cleanup, which clears it too, and apply again; a second link needs a SLUICE_ROOT of its own",
  ),
  PERMISSION: {
    message: "Cannot {action}: {reason}",
    remedy: "Run it as root: sudo {command}",
    status: 403,
    exit: EXIT.permission,
  },
  KERNEL_REFUSED: failure(
    "The kernel refused {action}: {reason}",
    "Run sluice plan to see what is there now, then apply again",
  ),
  APPLY_ROLLED_BACK: failure(
    "Cannot apply the plan: {reason}; the {done} actions before it were taken back",
    "{remedy}",
  ),
  PLAN_STALE: conflict("The kernel moved since this plan was made", "Run sluice plan again"),
  BPF_LOAD: untakeable(
    "Cannot load the program {program}: {reason}",
    "Check that the kernel is 5.10 or newer and that this process may use BPF",
  ),
  BPF_PINS: failure(
    'Cannot keep BPF objects in "{folder}": {reason}',
    "Check that this process may mount, and that bpffs is there: mount -t bpf bpf /sys/fs/bpf",
  ),
  STORE: failure(
    "Cannot use the state database {file}: {reason}",
    "Check the disk and its rights; if the file is damaged, move it away: apply then gives out new class ids",
  ),
  LOCK_TIMEOUT: failure(
    "Timed out after {seconds} s waiting for lock {file}, held by {holder}",
    "Wait until it has finished and try again, or give it longer with --lock-timeout",
  ),
  ...AUTORATE_ERRORS,
  ...RELAY_ERRORS,
  ...DAEMON_ERRORS,
  USAGE: { message: "{reason}", remedy: "See {command} --help", status: 400, exit: EXIT.usage },
  NOT_FOUND: { message: 'There is no {noun} "{id}"', remedy: "{hint}", status: 404, exit: EXIT.failure },
  INTERNAL: failure("Something is wrong in sluice itself: {reason}", "Report it with this text and what led to it"),
} as const satisfies Readonly<Record<string, ErrorSpec>>;

/** A registered error code. */
export type Code = keyof typeof ERRORS;
