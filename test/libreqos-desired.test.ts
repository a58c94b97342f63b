/** What comes of LibreQoS's lines, typed: numbers as tc would write them, what is gone again, what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handle, TC_ROOT } from "../src/core/tc/handle.ts";
import { placeNodes } from "../src/shaper/libreqos/ids.ts";
import type { LibreqosCircuit } from "../src/shaper/libreqos/circuits.ts";
import { toDesired } from "../src/shaper/libreqos/desired.ts";
import { objectOf } from "../src/shaper/libreqos/kernel.ts";
import { writeLines } from "../src/shaper/libreqos/lines.ts";
import { builtLibreqos, node, SETTINGS } from "./helpers/libreqos.ts";

const built = builtLibreqos(
  { N: node(50, 50) },
  [{ id: "x", parent: "N", rates: [1.25, 1, 25.55, 1], ipv4: "10.0.0.1" }],
  {
    queuesAvailable: 2,
  },
);
const commandOf = (line: string) => built.commands.find((command) => command.line === line)!;

describe("a command", () => {
  it("has the numbers that tc would write", () => {
    const line = "class add dev eth1 parent 0x1:0x3 classid 0x4 htb rate 1.2mbit ceil 25.6mbit prio 3 quantum 1532";
    assert.deepEqual(objectOf(commandOf(line)), {
      kind: "class",
      at: {
        classid: handle(1, 4),
        parent: handle(1, 3),
        htb: { rate: 1_200_000, ceil: 25_600_000, burst: 1600, cburst: 1600, quantum: 1532, prio: 3 },
      },
    });
  });

  it("reads the rtt that LibreQoS writes as tc does: in microseconds", () => {
    assert.deepEqual(objectOf(commandOf("qdisc add dev eth0 parent 0x1:0x4 cake diffserv4 rtt 300")), {
      kind: "qdisc",
      at: { handle: 0, parent: handle(1, 4), qdisc: { kind: "cake", diffserv: "diffserv4", rtt: 300 } },
    });
  });

  it("is transient for the leaf of a root class, which goes when the default class comes", () => {
    const transient = built.commands.filter(({ fate }) => fate === "transient").map(({ line }) => line);
    assert.deepEqual(transient, [
      "qdisc add dev eth1 parent 0x1:1 cake diffserv4",
      "qdisc add dev eth1 parent 0x2:1 cake diffserv4",
      "qdisc add dev eth0 parent 0x1:1 cake diffserv4",
      "qdisc add dev eth0 parent 0x2:1 cake diffserv4",
    ]);
  });

  it("has tc's burst for 400 Gbit/s", () => {
    const fast = builtLibreqos({}, [], { capacity: { download: 400_000, upload: 400_000 } });
    const object = objectOf(fast.commands[2]!);
    assert.ok(object?.kind === "class" && object.at.htb.burst === 1650 && object.at.htb.rate === 400e9);
  });
});

describe("toDesired", () => {
  it("gives devices, classifier and hosts", () => {
    const { desired, problems } = toDesired(built);
    assert.deepEqual(problems, []);
    const [lan, internet] = desired!.devices;
    assert.deepEqual([lan!.name, internet!.name], ["eth1", "eth0"]);
    assert.deepEqual(lan!.qdiscs.slice(0, 3), [
      { handle: handle(0x7fff), parent: TC_ROOT, qdisc: { kind: "mq" } },
      { handle: handle(1), parent: handle(0x7fff, 1), qdisc: { kind: "htb", default: 2 } },
      { handle: 0, parent: handle(1, 2), qdisc: { kind: "cake", diffserv: "diffserv4" } },
    ]);
    const unknown = { firstQueue: 0, queues: 1, classid: 0 };
    const classifier = { lanVlan: 0, internetVlan: 0, unknown: { download: unknown, upload: unknown } };
    assert.deepEqual(lan!.classifier, { side: "download", ...classifier });
    assert.deepEqual(internet!.classifier, { side: "upload", ...classifier });
    const target = { classid: handle(1, 4), queue: 1 };
    assert.deepEqual(
      [...desired!.hosts],
      [
        [
          "10.0.0.1/32",
          { prefix: desired!.hosts.get("10.0.0.1/32")!.prefix, target: { download: target, upload: target } },
        ],
      ],
    );
  });

  it("gives an address that stands twice to the last circuit, and says which no classifier takes", () => {
    const twice = builtLibreqos({}, [
      { id: "a", ipv4: "10.0.0.1" },
      { id: "b", ipv4: "10.0.0.1,10.1.0.0/255.255.0.0" },
    ]);
    const { desired, problems } = toDesired(twice);
    assert.equal(desired!.hosts.get("10.0.0.1/32")!.target.download.classid, handle(2, 4));
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message]),
      [
        [
          "LIBREQOS_ADDRESS",
          'Address "10.1.0.0/255.255.0.0" of circuit "b" has a form that no classifier takes, so its packets are not classified',
        ],
      ],
    );
  });

  it("sends upload to the upper half of a stick's queues, and needs its VLANs", () => {
    const link = { lan: "eth0", internet: "eth0", onAStick: true };
    const rows = [{ id: "a", ipv4: "10.0.0.1" }];
    const { desired, problems } = toDesired(builtLibreqos({}, rows, { link }));
    assert.equal(desired, undefined);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["LIBREQOS_CONF"],
    );
    const whole = toDesired(builtLibreqos({}, rows, { link: { ...link, vlans: { lan: 5, internet: 6 } } })).desired!;
    assert.equal(whole.devices.length, 1);
    assert.equal(whole.devices[0]!.classifier.side, "vlan");
    assert.deepEqual(whole.hosts.get("10.0.0.1/32")!.target.upload, { classid: handle(3, 4), queue: 3 });
  });

  it("warns of every line that tc refuses, once per reason", () => {
    const { problems } = toDesired(builtLibreqos({ A: node(0.5, 9) }, [{ id: "x", parent: "A" }]));
    assert.deepEqual(
      problems.map(({ message }) => message),
      [
        'Nothing comes of 2 of LibreQoS\'s lines, the first is "class add dev eth1 parent 0x1: classid 0x3 htb rate 0kbit ceil 0kbit prio 3 quantum 1522": tc says "rate" is required',
        'Nothing comes of 1 of LibreQoS\'s lines, the first is "qdisc add dev eth1 parent 0x1:0x4 cake diffserv4": its class is not there',
      ],
    );
    const odd = toDesired(builtLibreqos({}, [], { defaultSqm: "cake difserv4", queuesAvailable: 2 }));
    assert.match(
      odd.problems[0]!.message,
      /comes of 8 .* "difserv4" is no option of cake \(did you mean "diffserv4"\?\)/,
    );
    const nan = builtLibreqos({}, [{ id: "x", rates: ["nan", 1, 5, 5] }]);
    assert.match(toDesired(nan).problems[0]!.message, /rate nankbit .*: the rate nankbit is no number above 0$/);
  });

  it("refuses class ids beyond 16 bits, which LibreQoS writes", () => {
    const plan = { download: 10, upload: 10 };
    const circuit: LibreqosCircuit = {
      id: "x",
      name: "x",
      parent: "N",
      max: plan,
      min: { download: 0.1, upload: 0.1 },
      comment: "",
      devices: [],
      where: { file: "f" },
    };
    const circuits = new Map([["N", Array.from({ length: 0xffff }, () => circuit)]]);
    const nodes = [{ name: "N", fields: new Map(), max: plan, min: plan }];
    const settings = { ...SETTINGS, queuesAvailable: 2 };
    const placement = placeNodes(nodes, circuits, { queues: 2, capacity: plan, monitorOnly: false });
    const commands = writeLines(placement, settings);
    assert.match(commands.at(-2)!.line, / classid 0x10002 /);
    const { desired, problems } = toDesired({ settings, circuits: [circuit], placement, commands });
    assert.equal(desired, undefined);
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message]),
      [["LIBREQOS_ID_OVERFLOW", "6 classes have ids beyond 16 bits, which LibreQoS writes and the kernel cannot hold"]],
    );
  });
});
