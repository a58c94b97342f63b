/**
 * LibreQoS's rules one by one, on cases small enough to be worked out by hand. Recorded runs (libreqos-golden.test.ts) show
 * that the whole is right; these say which rule it is when it is not, and hold what no recorded run has.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { packBins } from "../src/shaper/libreqos/binpacking.ts";
import { buildLibreqos } from "../src/shaper/libreqos/build.ts";
import { mapAddresses, mappingLine } from "../src/shaper/libreqos/mappings.ts";
import { countQueues, layoutQueues, type LibreqosSettings } from "../src/shaper/libreqos/settings.ts";
import { structureText } from "../src/shaper/libreqos/structure.ts";
import {
  builtLibreqos,
  HEADER,
  libreqosFiles,
  node,
  printed,
  runLibreqos,
  SETTINGS,
  spoken,
  treeLines,
} from "./helpers/libreqos.ts";

/** Class ids by name of node or circuit, as `queue:minor`. */
function idsOf(...args: Parameters<typeof builtLibreqos>): Record<string, string> {
  const { Network } = JSON.parse(structureText(builtLibreqos(...args))) as { Network: Level };
  const ids: Record<string, string> = {};
  const walk = (level: Level): void => {
    for (const [name, { classid, circuits = [], children = {} }] of Object.entries(level)) {
      ids[name] = classid.replaceAll("0x", "");
      for (const circuit of circuits) ids[circuit.circuitID] = circuit.classid.replaceAll("0x", "");
      walk(children);
    }
  };
  walk(Network);
  return ids;
}
interface Level {
  readonly [name: string]: {
    readonly classid: string;
    readonly circuits?: readonly { readonly circuitID: string; readonly classid: string }[];
    readonly children?: Level;
  };
}

/** `rate ceil` of every node and circuit on the download device, in the order of the lines; `quantum` and all else left out. */
const rates = (...args: Parameters<typeof builtLibreqos>): string[] =>
  treeLines(builtLibreqos(...args)).flatMap((line) => / rate (\S+ ceil \S+)/.exec(line)?.[1] ?? []);

describe("the device list", () => {
  const rows = (...lines: readonly string[]): string => `${lines.join("\n")}\n`;
  const row = (id: string, address: string): string => `${id},${id},D${id},D${id},,,${address},,1,1,10,10,`;
  const run = (text: string) => buildLibreqos(libreqosFiles("{}", text), SETTINGS);

  it("loses its first row, whatever it holds, after comments are gone", () => {
    const { built } = run(rows("# x", row("A", "1.1.1.1"), "#C,...", row("B", "1.1.1.2")));
    assert.deepEqual(
      built!.circuits.map(({ id }) => id),
      ["B"],
    );
  });

  it("numbers kept rows, not lines", () => {
    const result = run(rows("# x", HEADER, "# y", row("A", "1.1.1.1"), "# z", row("B", "1.1.1.x")));
    assert.equal(spoken(result)[0], "UserWarning: Provided IPv4 '1.1.1.x' in ShapedDevices.csv at row 3 is not valid.");
    assert.deepEqual(result.problems[0]!.where, { file: "ShapedDevices.csv", line: 6 });
  });

  it("ends LibreQoS when a line is blank, before any row is looked at", () => {
    const result = run(rows(HEADER, row("A", "1.1.1.x"), "", row("B", "1.1.1.2")));
    assert.deepEqual(spoken(result), ["EXCEPTION: IndexError: list index out of range"]);
    assert.equal(result.problems[0]!.where!.line, 3);
  });

  it("ends LibreQoS at a row of another length, after what was said of the rows before", () => {
    const result = run(rows(HEADER, row("A", "1.1.1.x"), `${row("B", "1.1.1.2")},`, row("C", "")));
    assert.deepEqual(spoken(result), [
      "UserWarning: Provided IPv4 '1.1.1.x' in ShapedDevices.csv at row 2 is not valid.",
      "EXCEPTION: ValueError: too many values to unpack (expected 13)",
    ]);
  });

  it("may have any line ending, and quotes that never close", () => {
    assert.equal(run(`${HEADER}\r\n${row("A", "1.1.1.1")}\r${row("B", "1.1.1.2")}`).built?.circuits.length, 2);
    assert.match(spoken(run(`${HEADER}\n"A,B\n`))[0]!, /not enough values to unpack \(expected 13, got 1\)/);
  });

  it("takes what float() takes as a rate", () => {
    const { built } = runLibreqos({}, [{ id: "A", rates: [" 1 ", "1e0", "1_000", "inf"] }]);
    assert.deepEqual(built!.circuits[0]!.max, { download: 1000, upload: Number.POSITIVE_INFINITY });
  });

  it("hides what is wrong with upload when a download rate is no number", () => {
    assert.deepEqual(spoken(runLibreqos({}, [{ id: "A", rates: ["x", 9, 5, 5] }])).slice(0, -1), [
      "UserWarning: Provided downloadMin 'x' in ShapedDevices.csv at row 2 is not a valid number.",
    ]);
    assert.match(spoken(runLibreqos({}, [{ id: "A", rates: [1, 9, "y", 5] }]))[0]!, /downloadMax 'y'/);
    assert.match(
      spoken(runLibreqos({}, [{ id: "A", rates: [1, 9, 5, 5] }]))[0]!,
      /uploadMin '9' .* greater than uploadMax$/,
    );
  });

  it("ends LibreQoS at a maximum that is nan", () => {
    const result = runLibreqos({}, [{ id: "A", rates: [1, 1, "nan", 5] }]);
    assert.deepEqual(spoken(result), ["EXCEPTION: ValueError: cannot convert float NaN to integer"]);
  });
});

describe("addresses", () => {
  const said = (...cells: readonly { ipv4?: string; ipv6?: string }[]): string[] =>
    spoken(
      runLibreqos(
        {},
        cells.map((cell, index) => ({ id: `C${index}`, ...cell })),
      ),
    );
  const invalid = (family: string, text: string): string =>
    `UserWarning: Provided ${family} '${text}' in ShapedDevices.csv at row 2 is not valid.`;

  it("lose their blanks, and are told apart as texts", () => {
    const built = builtLibreqos({}, [{ id: "A", ipv4: "1.1.1.1, 1.1. 1.2 ,1.1.1.2/32" }]);
    assert.deepEqual(built.circuits[0]!.devices[0]!.ipv4s, ["1.1.1.1", "1.1.1.2", "1.1.1.2/32"]);
    assert.match(said({ ipv4: "1.1.1.1" }, { ipv4: "1.1.1.1" })[0]!, /IPv4 '1.1.1.1' .* row 3 is duplicate/);
  });

  it("name the whole cell when one of them raises, and itself when it is only of the other family", () => {
    assert.equal(said({ ipv4: "1.1.1.1, 1.1.1.x" })[0], invalid("IPv4", "1.1.1.1,1.1.1.x"));
    assert.equal(said({ ipv4: "1.1.1.1, 2001:db8::1" })[0], invalid("IPv4", "2001:db8::1"));
    // A network of the other family raises on the second look, which knows only hosts.
    assert.equal(said({ ipv4: "1.1.1.1, 2001:db8::/32" })[0], invalid("IPv4", "1.1.1.1,2001:db8::/32"));
    assert.equal(said({ ipv4: "1.1.1.1," })[0], invalid("IPv4", "1.1.1.1,"));
    assert.equal(said({ ipv6: "1.1.1.0/24" })[0], invalid("IPv6", "1.1.1.0/24"));
  });

  it("may stand twice as IPv4 and not as IPv6", () => {
    assert.equal(said({ ipv4: "1.1.1.1,1.1.1.1" }).length, 1);
    const twice = said({ ipv6: "::1" }, { ipv6: "::1" });
    assert.match(twice[0]!, /IPv6 '::1' .* row 3 is duplicate/);
    assert.match(twice[1]!, /^UserWarning: Validation failed/);
  });
});

describe("circuits of several devices", () => {
  const two = (first: readonly (number | string)[], second: readonly (number | string)[], parents = ["N", "N"]) => {
    const rows = [first, second].map((cells, index) => ({
      id: "A",
      parent: parents[index]!,
      rates: cells as [number, number, number, number],
    }));
    return runLibreqos({ N: node(100, 100) }, rows);
  };

  it("compare rates as whole numbers, and stop at the first that differs", () => {
    assert.deepEqual(spoken(two([2, 2, 10, 10], [2, 2, 10, 10])), []);
    assert.match(
      spoken(two([2, 2, 10, 10], [3, 2, 10.5, 10]))[0]!,
      /Device Device D2 with ID D2 had different bandwidth/,
    );
    assert.deepEqual(spoken(two([2, 2, 10.5, 10], [2, 2, 10.5, 10])), [
      "EXCEPTION: ValueError: invalid literal for int() with base 10: '10.5'",
    ]);
    assert.deepEqual(spoken(two([2, 2, 10, 10], [2, " 2 ", "1_0", 10])), []);
    assert.match(spoken(two([2, 2, 10, 10], [2, 2, "1e1", 10]))[0]!, /base 10: '1e1'/);
  });

  it("keep the first row's word", () => {
    const { built } = two([2, 2, 10, 10], [3, 3, 20, 20]);
    assert.deepEqual(built!.circuits[0]!.max, { download: 10, upload: 10 });
    assert.deepEqual(
      built!.circuits[0]!.devices.map(({ id }) => id),
      ["D1", "D2"],
    );
  });

  it("may go on with any parent after a blank one, not the other way round", () => {
    const cells = [1, 1, 10, 10];
    assert.deepEqual(spoken(two(cells, cells, ["", "N"])), []);
    assert.deepEqual(spoken(two(cells, cells, ["none", "N"])), []);
    assert.match(spoken(two(cells, cells, ["N", ""]))[0]!, /^EXCEPTION: ValueError: Device Device D2 with deviceID D2/);
    assert.match(spoken(two(cells, cells, ["N", "N "]))[0]!, /different Parent Node/);
  });

  it("are not compared when nothing is shaped", () => {
    const rows = [{ id: "A" }, { id: "A", rates: [1, 1, 2.5, 9] as const }];
    assert.deepEqual(spoken(runLibreqos({}, rows, { monitorOnly: true })), [
      "UserWarning: monitorOnlyMode is set to True. Shaping will not occur.",
    ]);
  });
});

describe("parents", () => {
  it("are not trimmed; what hangs nowhere is said by the device's name", () => {
    const result = runLibreqos({ N: node(100, 100) }, [
      { id: "A", parent: "N" },
      { id: "B", parent: " N" },
      { id: "C", parent: "None", device: "D1" },
    ]);
    assert.deepEqual(printed(result).slice(3), ["Devices not shaped:", "DeviceID: D2\t DeviceName: Device D2"]);
    assert.equal(spoken(result).length, 1);
  });

  it("of orphans are the generated nodes in turn", () => {
    const ids = idsOf(
      {},
      ["A", "B", "C", "D", "E"].map((id) => ({ id })),
      { queuesAvailable: 2 },
    );
    assert.deepEqual(ids, {
      Generated_PN_1: "1:3",
      A: "1:4",
      C: "1:5",
      E: "1:6",
      Generated_PN_2: "2:3",
      B: "2:4",
      D: "2:5",
    });
  });
});

describe("class ids", () => {
  it("leave one number out before children, also where there is none but the key", () => {
    const network = { A: node(100, 100, { children: {} }), B: node(100, 100), C: node(100, 100, { children: [] }) };
    const ids = idsOf(network, [], { queuesAvailable: 1 });
    assert.deepEqual(ids, { A: "1:3", B: "1:5", C: "1:6", Generated_PN_1: "1:8" });
  });

  it("follow the file's order, also of names that are numbers", () => {
    const text = `{"b": ${JSON.stringify(node(9, 9))}, "12": ${JSON.stringify(node(8, 8))}}`;
    assert.deepEqual(rates(text, [], { queuesAvailable: 1 }), [
      "9.0mbit ceil 9.0mbit",
      "8.0mbit ceil 8.0mbit",
      "1.0gbit ceil 1.0gbit",
    ]);
  });

  it("go on counting when the queues come round again", () => {
    const network = { A: node(9, 9), B: node(9, 9), C: node(9, 9) };
    assert.deepEqual(idsOf(network, [{ id: "x", parent: "C" }], { queuesAvailable: 2 }), {
      A: "1:3",
      B: "2:3",
      C: "1:4",
      x: "1:5",
      Generated_PN_1: "2:4",
      Generated_PN_2: "1:6",
    });
  });

  it("are written as minors alone, below the HTB on the top level", () => {
    const lines = treeLines(builtLibreqos({ N: node(9, 9) }, [{ id: "x", parent: "N" }], { queuesAvailable: 1 }));
    assert.deepEqual(lines.slice(0, 3), [
      "class parent 0x1: classid 0x3 htb rate 9.0mbit ceil 9.0mbit prio 3 quantum 1522",
      "class parent 0x1:0x3 classid 0x4 htb rate 1.0mbit ceil 9.0mbit prio 3 quantum 1522",
      "qdisc parent 0x1:0x4 cake diffserv4",
    ]);
  });
});

describe("rates of nodes", () => {
  it("are cut to whole Mbit/s, and the children's with them", () => {
    const network = { A: node(100.9, 9, { children: { B: node(100.5, 9), C: node(1.5, 9), D: node(0.5, 9) } }) };
    assert.deepEqual(rates(network, [], { queuesAvailable: 1 }).slice(0, 4), [
      "100.0mbit ceil 100.0mbit",
      "100.0mbit ceil 100.0mbit",
      "1.0mbit ceil 1.0mbit",
      "0kbit ceil 0kbit",
    ]);
  });

  it("are never above the line's, whatever the file says", () => {
    const settings = { capacity: { download: 50, upload: 20 }, queuesAvailable: 1 };
    assert.deepEqual(rates({ A: node(100, 100) }, [], settings), ["50.0mbit ceil 50.0mbit", "50.0mbit ceil 50.0mbit"]);
  });

  it("have minimums that earlier siblings' circuits raise", () => {
    const least = { downloadBandwidthMbpsMin: 2, uploadBandwidthMbpsMin: 2 };
    const network = { A: node(90, 90, least), B: node(90, 90, least), C: node(90, 90, least) };
    const rows = [
      { id: "a", parent: "A", rates: [7, 1, 9, 9] as const },
      { id: "b", parent: "B", rates: [4, 1, 9, 9] as const },
    ];
    const lines = rates(network, rows, { queuesAvailable: 1 }).filter((line) => line.endsWith("90.0mbit"));
    assert.deepEqual(lines, ["7.0mbit ceil 90.0mbit", "11.0mbit ceil 90.0mbit", "11.0mbit ceil 90.0mbit"]);
  });

  it("count a child level's circuits for the parent and what follows it, and start anew in it", () => {
    const least = { downloadBandwidthMbpsMin: 1, uploadBandwidthMbpsMin: 1 };
    const network = {
      A: node(90, 90, { ...least, children: { A1: node(80, 80, least), A2: node(80, 80, least) } }),
      B: node(70, 70, least),
    };
    const rows = [
      { id: "a", parent: "A", rates: [3, 1, 9, 9] as const },
      { id: "a1", parent: "A1", rates: [4, 1, 9, 9] as const },
    ];
    const lines = rates(network, rows, { queuesAvailable: 1 }).filter((line) => /[987]0\.0mbit$/.test(line));
    assert.deepEqual(lines, [
      "7.0mbit ceil 90.0mbit",
      "4.0mbit ceil 80.0mbit",
      "4.0mbit ceil 80.0mbit",
      "7.0mbit ceil 70.0mbit",
    ]);
  });

  it("may be texts where a minimum is stated, true and false anywhere", () => {
    const text = {
      downloadBandwidthMbps: "40",
      uploadBandwidthMbps: " 4_0 ",
      downloadBandwidthMbpsMin: 5,
      uploadBandwidthMbpsMin: 5,
    };
    const network = { A: text, B: { downloadBandwidthMbps: true, uploadBandwidthMbps: 9 } };
    assert.deepEqual(rates(network, [], { queuesAvailable: 1 }).slice(0, 2), [
      "5.0mbit ceil 40.0mbit",
      "1.0mbit ceil 1.0mbit",
    ]);
  });

  it("end LibreQoS where they are no numbers", () => {
    const ends = (network: object | string): string => spoken(runLibreqos(network, [])).join();
    const both = { downloadBandwidthMbpsMin: 1, uploadBandwidthMbpsMin: 1 };
    assert.equal(
      ends({ A: node(1, 1, { downloadBandwidthMbps: "x" }) }),
      "EXCEPTION: TypeError: '>' not supported between instances of 'int' and 'str'",
    );
    assert.match(ends({ A: node(1, 1, { downloadBandwidthMbps: null }) }), /'int' and 'NoneType'/);
    assert.match(
      ends({ A: node(1, 1, { ...both, downloadBandwidthMbps: "2.5" }) }),
      /ValueError: invalid literal for int\(\) with base 10: '2.5'/,
    );
    assert.match(
      ends({ A: node(1, 1, { ...both, downloadBandwidthMbps: [1] }) }),
      /TypeError: int\(\) argument must be .*, not 'list'/,
    );
    assert.match(
      ends(`{"A": {"uploadBandwidthMbps": 1, "downloadBandwidthMbps": NaN}}`),
      /ValueError: cannot convert float NaN/,
    );
    assert.match(
      ends(`{"A": {"uploadBandwidthMbps": 1, "downloadBandwidthMbps": 1, "downloadBandwidthMbpsMin": Infinity}}`),
      /OverflowError/,
    );
    assert.match(ends({ A: node(1, 1), B: 5 }), /TypeError: argument of type 'int' is not iterable/);
    assert.match(ends({ A: node(1, 1), B: "x" }), /TypeError: string indices must be integers, not 'str'/);
    assert.match(ends({ A: node(1, 1, { children: 5 }) }), /TypeError: 'int' object is not iterable/);
    assert.match(ends("null"), /TypeError: 'NoneType' object is not iterable/);
    assert.match(
      ends({ A: node(1, 1, { children: { B: { downloadBandwidthMbps: 1 } } }) }),
      /KeyError: 'uploadBandwidthMbps'/,
    );
  });
});

describe("circuits' minimums", () => {
  const network = { N: node(50, 50, { downloadBandwidthMbpsMin: 1, uploadBandwidthMbpsMin: 1 }) };
  const circuitsOf = (network: object, ...mins: readonly (readonly [number, number, number, number])[]): string[] =>
    rates(
      network,
      mins.map((cells, index) => ({ id: `C${index}`, parent: "N", rates: cells })),
      { queuesAvailable: 1 },
    ).slice(1, -1);

  it("all become 1 when they are more than the node's, in either direction", () => {
    const small = { N: node(20, 5) };
    assert.deepEqual(circuitsOf(small, [2, 3, 9, 5], [2.5, 3, 9, 5]), ["1.0mbit ceil 9.0mbit", "1.0mbit ceil 9.0mbit"]);
    assert.deepEqual(circuitsOf(small, [2, 2, 9, 5], [2.5, 3, 9, 5]), ["2.0mbit ceil 9.0mbit", "2.5mbit ceil 9.0mbit"]);
  });

  it("are more than the node's stated minimum only by the fraction that it loses: it was raised to their sum", () => {
    assert.deepEqual(circuitsOf(network, [2, 2, 9, 5], [2, 3, 9, 5]), ["2.0mbit ceil 9.0mbit", "2.0mbit ceil 9.0mbit"]);
    assert.deepEqual(circuitsOf(network, [2, 2, 9, 5], [2.5, 3, 9, 5]), [
      "1.0mbit ceil 9.0mbit",
      "1.0mbit ceil 9.0mbit",
    ]);
  });

  it("become 10 kbit/s where there are more circuits than Mbit/s, unless their maximum is below 1", () => {
    const small = { N: node(2, 2) };
    assert.deepEqual(circuitsOf(small, [1, 1, 9, 5], [0.5, 1, 0.5, 1], [1, 1, 9, 9]), [
      "10kbit ceil 2.0mbit",
      "500kbit ceil 500kbit",
      "10kbit ceil 2.0mbit",
    ]);
  });
});

describe("names that stand twice", () => {
  it("have their circuits under every node, and squash them all", () => {
    const network = { A: node(9, 9, { children: { X: node(9, 9) } }), B: node(9, 9, { children: { X: node(1, 1) } }) };
    const rows = [
      { id: "a", parent: "X", rates: [1, 1, 5, 5] as const },
      { id: "b", parent: "X", rates: [1, 1, 5, 5] as const },
    ];
    const result = runLibreqos(network, rows, { queuesAvailable: 1 });
    assert.deepEqual(spoken(result), ["UserWarning: Non-unique Node name in network.json: X"]);
    const circuits = treeLines(result.built!).filter((line) => line.includes("rate 10kbit"));
    assert.equal(circuits.length, 4);
  });

  it("keep the first place and the last node of a level", () => {
    const text = `{"A": ${JSON.stringify(node(9, 9))}, "B": ${JSON.stringify(node(8, 8))}, "A": ${JSON.stringify(node(7, 7))}}`;
    assert.deepEqual(rates(text, [], { queuesAvailable: 1 }).slice(0, 2), [
      "7.0mbit ceil 7.0mbit",
      "8.0mbit ceil 8.0mbit",
    ]);
  });

  it("of the generated nodes are overwritten where they stand", () => {
    const network = { Generated_PN_1: node(77, 77, { children: { X: node(5, 5) } }), A: node(9, 9) };
    const ids = idsOf(network, [{ id: "o" }], { queuesAvailable: 1 });
    assert.deepEqual(ids, { Generated_PN_1: "1:3", o: "1:4", A: "1:5" });
  });
});

describe("binpacking", () => {
  it("takes the heaviest first, earlier ones and lower bins on ties", () => {
    assert.deepEqual(packBins([3, 5, 3, 5, 1], 2), [0, 0, 1, 1, 0]);
    assert.deepEqual(packBins([1, 1, 1], 4), [0, 1, 2]);
    assert.deepEqual(packBins([], 2), []);
  });

  it("weighs orphans by half their download, and by both rates where the id has blanks", () => {
    const rows = [
      { id: "a", rates: [1, 1, 100, 1] as const },
      { id: "b", rates: [1, 1, 60, 1] as const },
      { id: " c", rates: [1, 1, 30, 20] as const },
    ];
    // a 50 and " c" 50 go first, then b 30; with a rate of 29.9 for " c" b would be on the other side.
    const ids = idsOf({}, rows, { queuesAvailable: 2, useBinpacking: true });
    assert.deepEqual([ids["a"], ids["b"], ids[" c"]], ["1:4", "1:5", "2:4"]);
  });

  it("weighs nodes by device rows, so that a circuit of two devices counts twice", () => {
    const network = { A: node(100, 100), B: node(100, 100), C: node(100, 100) };
    const rows = [
      { id: "a", parent: "A", rates: [1, 1, 60, 1] as const },
      { id: "b", parent: "B", rates: [1, 1, 40, 1] as const },
      { id: "b", parent: "B", rates: [1, 1, 40, 1] as const },
      { id: "c", parent: " C", rates: [1, 1, 30, 1] as const },
    ];
    const ids = idsOf(network, rows, { queuesAvailable: 2, useBinpacking: true });
    // B 40, A 30, and C 15 by the Rust side, which cuts blanks, though the circuit then hangs nowhere.
    assert.deepEqual(
      Object.fromEntries(
        ["B", "A", "C", "Generated_PN_1", "CpueQueue0", "CpueQueue1"].map((name) => [name, ids[name]]),
      ),
      { B: "1:5", A: "2:5", C: "2:7", Generated_PN_1: "2:8", CpueQueue0: "1:3", CpueQueue1: "2:3" },
    );
  });

  it("gives equal nodes queues by name, and keeps the file's order inside a queue", () => {
    const network = { z: node(9, 9), a: node(9, 9), m: node(9, 9) };
    const ids = idsOf(network, [], { queuesAvailable: 2, useBinpacking: true });
    // Nobody weighs anything, so all go to the first queue, in the file's order.
    assert.deepEqual([ids["z"], ids["a"], ids["m"]], ["1:5", "1:6", "1:7"]);
    const rows = ["z", "a", "m"].map((parent) => ({ id: parent, parent, rates: [1, 1, 4, 1] as const }));
    const weighed = builtLibreqos(network, rows, { queuesAvailable: 3, useBinpacking: true });
    const queues = weighed.placement.nodes.map(({ children }) =>
      children!.map(({ name }) => name).filter((n) => n.length === 1),
    );
    assert.deepEqual(queues, [["a"], ["m"], ["z"]]);
  });

  it("wraps no flat network", () => {
    assert.equal(idsOf({}, [{ id: "a" }], { useBinpacking: true })["CpueQueue0"], undefined);
  });
});

describe("monitor_only", () => {
  it("writes rates that nothing reaches, and no leaf for circuits", () => {
    const network = { N: node(5, 5, { children: { M: node(2, 2) } }) };
    const lines = treeLines(
      builtLibreqos(network, [{ id: "x", parent: "M" }], { monitorOnly: true, queuesAvailable: 1 }),
    );
    const free = (rate: string, quantum: number): string => `htb rate ${rate} ceil ${rate} prio 3 quantum ${quantum}`;
    assert.deepEqual(lines, [
      `class parent 0x1: classid 0x3 ${free("100.0gbit", 5_998_080)}`,
      `class parent 0x1:0x3 classid 0x5 ${free("100.0gbit", 5_998_080)}`,
      `class parent 0x1:0x5 classid 0x6 ${free("10.0gbit", 599_808)}`,
      `class parent 0x1: classid 0x7 ${free("100.0gbit", 5_998_080)}`,
    ]);
  });

  it("cannot keep a node's minimums above 100 Gbit/s either", () => {
    const rows = Array.from({ length: 11 }, (_, index) => ({ id: `C${index}` }));
    const lines = rates({}, rows, { monitorOnly: true, queuesAvailable: 1 });
    assert.deepEqual([...new Set(lines.slice(1))], ["1.0mbit ceil 10.0gbit"]);
  });
});

describe("slow circuits", () => {
  const leaf = (max: number, sqm = "cake diffserv4"): string =>
    treeLines(builtLibreqos({}, [{ id: "x", rates: [0.1, 0.1, max, 9] }], { defaultSqm: sqm, queuesAvailable: 1 })).at(
      -1,
    )!;

  it("get an rtt without a unit at four exact rates", () => {
    const rtts = [0.9, 1, 1.5, 2, 2.5, 3, 4, 5].map((max) =>
      leaf(max).replace("qdisc parent 0x1:0x4 cake diffserv4", ""),
    );
    assert.deepEqual(rtts, ["", " rtt 300", "", " rtt 180", "", " rtt 140", " rtt 120", ""]);
  });

  it("keep an rtt of the configuration, and other qdiscs as they are", () => {
    assert.match(leaf(1, "cake rtt 50ms"), / cake rtt 50ms$/);
    assert.match(leaf(1, "fq_codel"), / fq_codel$/);
  });

  it("go by the rate that their node leaves them", () => {
    const lines = treeLines(builtLibreqos({ N: node(3, 9) }, [{ id: "x", parent: "N" }], { queuesAvailable: 1 }));
    assert.match(lines[2]!, / rtt 140$/);
  });
});

describe("the roots", () => {
  const roots = (settings: Partial<LibreqosSettings>): string[] =>
    builtLibreqos({}, [], { queuesAvailable: 2, ...settings })
      .commands.map(({ line }) => line)
      .filter((line) => !/ 0x[0-9a-f]+ htb | parent 0x\w+:0x/.test(line));

  it("halve the rest for unknown hosts, ties to the even side, by each direction's own rate", () => {
    const lines = roots({ capacity: { download: 11, upload: 7 } }).filter((line) => line.includes(":2 htb"));
    assert.deepEqual(
      lines.map((line) => / rate (.*)/.exec(line)![1]),
      [
        ...Array<string>(2).fill("2.0mbit ceil 10.0mbit prio 5 quantum 59782"),
        ...Array<string>(2).fill("2.0mbit ceil 6.0mbit prio 5 quantum 38043"),
      ],
    );
  });

  it("are one mq on a stick, with upload in the upper half of the queues", () => {
    const link = { lan: "eth0", internet: "eth0", onAStick: true };
    assert.deepEqual(layoutQueues({ ...SETTINGS, link, queuesAvailable: 7 }), { queues: 3, stickOffset: 3 });
    const lines = roots({ link, queuesAvailable: 5 });
    assert.equal(lines.filter((line) => line.includes("mq")).length, 1);
    const handles = lines.flatMap((line) => / handle (0x\d+): htb/.exec(line)?.[1] ?? []);
    assert.deepEqual(handles, ["0x1", "0x2", "0x3", "0x4"]);
  });
});

describe("queues", () => {
  const count = (...transmit: number[]) => ({ transmit, processors: 8, override: 0, dryRun: false });

  it("are the least of the interfaces' and the processors", () => {
    assert.equal(countQueues(count(16, 6)), 6);
    assert.equal(countQueues(count(16, 32)), 8);
    assert.equal(countQueues({ ...count(1), override: 4 }), 4);
    assert.equal(countQueues({ ...count(), dryRun: true }), 16);
  });

  it("have to be two, and so do the processors", () => {
    assert.equal(countQueues(count(16, 1)), undefined);
    assert.equal(countQueues({ ...count(4, 4), processors: 1 }), undefined);
  });
});

describe("mappings", () => {
  it("are every address in the order of the lines, twice on a stick", () => {
    const rows = [
      { id: "o", ipv4: "1.1.1.1", ipv6: "2001:db8::/64" },
      { id: "x", parent: "N", ipv4: "1.1.1.2/32,1.1.1.3" },
    ];
    const link = { lan: "eth0", internet: "eth0", onAStick: true };
    const bridge = mapAddresses(builtLibreqos({ N: node(9, 9) }, rows, { queuesAvailable: 2 }));
    assert.deepEqual(
      bridge.map(({ ip, classid, cpu }) => `${ip} ${classid} ${cpu}`),
      ["1.1.1.2/32 0x1:0x4 0x0", "1.1.1.3 0x1:0x4 0x0", "1.1.1.1 0x2:0x4 0x1", "2001:db8::/64 0x2:0x4 0x1"],
    );
    const stick = mapAddresses(builtLibreqos({}, [{ id: "o", ipv4: "1.1.1.1" }], { queuesAvailable: 4, link }));
    assert.deepEqual(
      stick.map((mapping) => mappingLine(mapping)),
      [
        '{"ip": "1.1.1.1", "classid": "0x1:0x4", "cpu": "0x0", "upload": false, "tc_handle": 65540, "cpu_num": 0}',
        '{"ip": "1.1.1.1", "classid": "0x3:0x4", "cpu": "0x2", "upload": true, "tc_handle": 196612, "cpu_num": 2}',
      ],
    );
  });
});

describe("queuingStructure.json", () => {
  it("keeps what the file says of a node, moves its children behind, and writes the rest after them", () => {
    const network = `{"N": {"children": {}, "type": "Site", "id": 12345678901234567890, "x": [1.0, null], "downloadBandwidthMbps": 9.5, "uploadBandwidthMbps": 1e1}}`;
    const text = structureText(
      builtLibreqos(network, [{ id: "x", parent: "N", rates: [1, 1, 9, 10.5] }], { queuesAvailable: 1 }),
    );
    assert.ok(text.includes('"id": 12345678901234567890,'));
    assert.ok(text.includes('"downloadBandwidthMbps": 9,\n            "uploadBandwidthMbps": 10,'));
    const { Network } = JSON.parse(text) as { Network: Record<string, object> };
    assert.deepEqual(Object.keys(Network["N"]!).slice(0, 9), [
      "type",
      "id",
      "x",
      "downloadBandwidthMbps",
      "uploadBandwidthMbps",
      "downloadBandwidthMbpsMin",
      "uploadBandwidthMbpsMin",
      "children",
      "classid",
    ]);
    // The circuit's own 9.0 on the tie with the node's 9, the node's 10 below its 10.5.
    assert.ok(text.includes('"maxDownload": 9.0,\n                    "maxUpload": 10,'));
  });
});

describe("whole cases of our own", () => {
  const root = resolve(import.meta.dirname, "fixtures/libreqos");
  for (const name of readdirSync(root).toSorted()) {
    it(name, () => {
      const read = (file: string): string => readFileSync(join(root, name, file), "utf8");
      const settings = { ...SETTINGS, ...(JSON.parse(read("settings.json")) as Partial<LibreqosSettings>) };
      const { built, messages } = buildLibreqos(
        libreqosFiles(read("network.json"), read("ShapedDevices.csv")),
        settings,
      );
      const lines = [...messages.map(({ text }) => `# ${text}`), ...(built ? treeLines(built) : [])];
      const actual = `${lines.join("\n")}\n`;
      if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(join(root, name, "expected.txt"), actual);
      assert.equal(actual, read("expected.txt"));
    });
  }
});
