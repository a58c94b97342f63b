/** What holds of LibreQoS's lines whatever the files say: invented networks, circuits and settings of every kind. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { major, minor, TC_ROOT } from "../src/core/tc/handle.ts";
import type { LibreqosBuilt } from "../src/shaper/libreqos/build.ts";
import { toDesired } from "../src/shaper/libreqos/desired.ts";
import type { PlacedNode } from "../src/shaper/libreqos/ids.ts";
import { batchText } from "../src/shaper/libreqos/lines.ts";
import { mapAddresses } from "../src/shaper/libreqos/mappings.ts";
import { layoutQueues, type LibreqosSettings } from "../src/shaper/libreqos/settings.ts";
import { structureText } from "../src/shaper/libreqos/structure.ts";
import { builtLibreqos, node, type RowSketch, SETTINGS } from "./helpers/libreqos.ts";

const rate = fc.oneof(
  fc.integer({ min: 1, max: 2000 }),
  fc.integer({ min: 8, max: 4000 }).map((eighths) => eighths / 8),
);

/** A tree as lists: what a node has and where it hangs, by its index. */
interface Shape {
  readonly parent: number;
  readonly down: number;
  readonly up: number;
  readonly least?: number | undefined;
}

const shapes = fc.array(
  fc.record({ parent: fc.nat(40), down: rate, up: rate, least: fc.option(rate, { nil: undefined }) }),
  { maxLength: 25, size: "max" },
);

function networkOf(nodes: readonly Shape[]): Record<string, object> {
  const top: Record<string, object> = {};
  const made: Record<string, Record<string, object>> = {};
  nodes.forEach(({ parent, down, up, least }, index) => {
    const min = least === undefined ? {} : { downloadBandwidthMbpsMin: least, uploadBandwidthMbpsMin: least };
    const children: Record<string, object> = {};
    made[index] = children;
    const level = parent < index ? made[parent]! : top;
    level[`N${index}`] = node(down, up, { ...min, children });
  });
  return top;
}

const circuits = fc.array(
  fc.record({ parent: fc.nat(35), max: fc.tuple(rate, rate), share: fc.tuple(fc.nat(10), fc.nat(10)) }),
  { maxLength: 60, size: "max" },
);

const settings: fc.Arbitrary<LibreqosSettings> = fc
  .record({
    queues: fc.integer({ min: 2, max: 9 }),
    stick: fc.boolean(),
    capacity: fc.tuple(fc.integer({ min: 4, max: 20_000 }), fc.integer({ min: 4, max: 20_000 })),
    monitorOnly: fc.boolean(),
    useBinpacking: fc.boolean(),
  })
  .map(({ queues, stick, capacity: [download, upload], ...rest }) => ({
    ...SETTINGS,
    ...rest,
    queuesAvailable: queues,
    link: {
      lan: stick ? "eth0" : "eth1",
      internet: "eth0",
      onAStick: stick,
      ...(stick && { vlans: { lan: 2, internet: 3 } }),
    },
    capacity: { download, upload },
    generated: { download, upload },
  }));

const cases = fc.record({ shapes, circuits, settings }).map(({ shapes: nodes, circuits: plans, settings: options }) => {
  const rows = plans.map(({ parent, max: [down, up], share }, index): RowSketch => {
    const least = (most: number, tenths: number): number => Math.max(0.1, (most * tenths) / 10);
    const hangs = parent < nodes.length ? { parent: `N${parent}` } : {};
    const rates = [least(down, share[0]), least(up, share[1]), down, up] as const;
    return { id: `C${index}`, ...hangs, rates, ipv4: `10.0.${index >> 8}.${index & 255}` };
  });
  return { rows, built: builtLibreqos(networkOf(nodes), rows, options) };
});

/** Asserts something of many invented cases. */
const always = (holds: (built: LibreqosBuilt, rows: readonly RowSketch[]) => void): void => {
  fc.assert(
    fc.property(cases, ({ built, rows }) => holds(built, rows)),
    { numRuns: 60 },
  );
};

function allNodes(
  nodes: readonly PlacedNode[],
  above?: PlacedNode,
): { node: PlacedNode; above: PlacedNode | undefined }[] {
  return nodes.flatMap((placed) => [{ node: placed, above }, ...allNodes(placed.children ?? [], placed)]);
}

describe("LibreQoS's lines", () => {
  it("are as many as the formula says", () =>
    always(({ commands, placement, settings: options, circuits: loaded }) => {
      const { queues } = layoutQueues(options);
      const nodes = allNodes(placement.nodes).length;
      const perCircuit = options.monitorOnly ? 2 : 4;
      const roots = 2 * (1 + 5 * queues) - (options.link.onAStick ? 1 : 0);
      assert.equal(commands.length, roots + 2 * nodes + perCircuit * loaded.length);
      assert.equal(batchText(commands).split("\n").length, commands.length + 1);
    }));

  it("give every class of a device an id of its own, in rising order within a queue", () =>
    always(({ commands }) => {
      const last = new Map<string, number>();
      for (const command of commands) {
        if (command.kind !== "class" || command.minor <= 2) continue;
        const key = `${command.dev} ${command.major}`;
        assert.ok(command.minor > (last.get(key) ?? 2), command.line);
        last.set(key, command.minor);
      }
    }));

  it("never name a class before it is made, and a leaf right after its class", () =>
    always(({ commands }) => {
      commands.forEach((command, index) => {
        if (command.kind !== "qdisc" || command.handle !== 0) return;
        const before = commands[index - 1]!;
        assert.ok(before.kind === "class" && before.minor === minor(command.parent), command.line);
      });
      const made = new Set<string>();
      for (const command of commands) {
        if (command.kind !== "class") continue;
        const { dev, major: queue } = command;
        assert.ok(command.parentMinor === 0 || made.has(`${dev} ${queue}:${command.parentMinor}`), command.line);
        made.add(`${dev} ${queue}:${command.minor}`);
      }
    }));

  it("put the same minors on both sides", () =>
    always(({ commands, settings: options }) => {
      const { stickOffset } = layoutQueues(options);
      const classes = commands.filter((command) => command.kind === "class" && command.minor > 2);
      const numbers = classes.flatMap((command) =>
        command.kind === "class" ? `${command.major}:${command.minor}` : [],
      );
      const down = numbers.filter((_, index) => index % 2 === 0);
      const up = numbers.filter((_, index) => index % 2 === 1);
      const moved = down.map((id) => `${Number(id.split(":")[0]) + stickOffset}:${id.split(":")[1]}`);
      assert.deepEqual(up, moved);
    }));
});

describe("LibreQoS's rates", () => {
  it("never exceed what is above, nor rates their ceilings", () =>
    always(({ placement, settings: options }) => {
      if (options.monitorOnly) return;
      for (const { node: placed, above } of allNodes(placement.nodes)) {
        for (const d of ["download", "upload"] as const) {
          assert.ok(Number.isInteger(placed.max[d]) && Number.isInteger(placed.min[d]));
          assert.ok(placed.max[d] <= (above?.max[d] ?? options.capacity[d]), `${placed.name} ${d}`);
          assert.ok(placed.min[d] <= placed.max[d]);
          for (const { max, min } of placed.circuits) {
            assert.ok(max[d].value <= placed.max[d] && min[d].value <= max[d].value);
          }
        }
      }
    }));

  it("keep the circuits of a node within its minimum, or share it out", () =>
    always(({ placement, settings: options }) => {
      if (options.monitorOnly) return;
      for (const { node: placed } of allNodes(placement.nodes)) {
        const sum = (d: "download" | "upload"): number =>
          placed.circuits.reduce((total, { min }) => total + min[d].value, 0);
        const fits = sum("download") <= placed.min.download && sum("upload") <= placed.min.upload;
        assert.ok(
          fits || placement.squashed.has(placed.name) || placed.circuits.every(({ min }) => min.upload.value <= 1),
        );
      }
    }));
});

describe("LibreQoS's tree", () => {
  it("has at most six levels below the queues, and loses no node", () =>
    always(({ placement, settings: options }) => {
      const depth = (nodes: readonly PlacedNode[]): number =>
        nodes.reduce((deepest, { children }) => Math.max(deepest, 1 + depth(children ?? [])), 0);
      assert.ok(depth(placement.nodes) <= 6 + (options.useBinpacking ? 1 : 0));
      const names = allNodes(placement.nodes).map(({ node: placed }) => placed.name);
      assert.equal(new Set(names).size, names.length);
    }));

  it("holds every circuit once, with its addresses", () =>
    always((built, rows) => {
      const placed = allNodes(built.placement.nodes).flatMap(({ node: { circuits: on } }) =>
        on.map(({ circuit }) => circuit.id),
      );
      assert.deepEqual(placed.toSorted(), rows.map(({ id }) => id).toSorted());
      const twice = built.settings.link.onAStick ? 2 : 1;
      assert.equal(mapAddresses(built).length, twice * rows.length);
    }));

  it("is what queuingStructure.json says", () =>
    always((built) => {
      const { lastUsedClassIDCounterByCPU: counters } = JSON.parse(structureText(built)) as {
        lastUsedClassIDCounterByCPU: Record<string, number>;
      };
      assert.deepEqual(Object.values(counters), built.placement.counters);
    }));
});

describe("the state that the lines lead to", () => {
  it("holds together: parents are there, leaves hang on classes without children, hosts on classes", () =>
    always((built, rows) => {
      const { desired } = toDesired(built);
      assert.ok(desired);
      const classes = new Map<string, Set<number>>();
      for (const device of desired.devices) {
        const ids = new Set<number>(
          device.qdiscs.filter(({ qdisc }) => qdisc.kind === "htb").map(({ handle }) => handle),
        );
        const inner = new Set<number>();
        for (const { classid, parent } of device.classes) {
          assert.ok(ids.has(parent), `${device.name} ${classid.toString(16)}`);
          assert.equal(major(classid), major(parent));
          inner.add(parent);
          ids.add(classid);
        }
        for (const { handle, parent } of device.qdiscs) {
          if (handle === 0) assert.ok(ids.has(parent) && !inner.has(parent));
        }
        assert.equal(device.qdiscs[0]!.parent, TC_ROOT);
        classes.set(device.name, ids);
      }
      assert.equal(desired.hosts.size, rows.length);
      const { lan, internet } = built.settings.link;
      for (const { target } of desired.hosts.values()) {
        const { download, upload } = target;
        if (classes.get(lan)!.has(download.classid)) assert.equal(download.queue, major(download.classid));
        assert.ok(classes.get(internet)!.has(upload.classid) || built.commands.some(({ fate }) => fate === "lost"));
      }
    }));
});

describe("the time it takes", () => {
  it("grows with the number of circuits, not with its square", () => {
    const seconds = (count: number): number => {
      const rows = Array.from({ length: count }, (_, i): RowSketch => ({ id: `C${i}`, parent: `N${i % 200}` }));
      const network = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`N${i}`, node(900, 900)]));
      const begin = process.cpuUsage();
      builtLibreqos(network, rows, { useBinpacking: true });
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1e6;
    };
    seconds(2000);
    const small = Math.min(seconds(3000), seconds(3000), seconds(3000));
    // Ten times as many: a hundred times as long if it were quadratic. bench/parity measures it well.
    assert.ok(seconds(30_000) < 40 * small, `${small} s for 3,000`);
  });
});
