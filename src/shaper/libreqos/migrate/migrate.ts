/**
 * The way from LibreQoS to sluice, pure: a `sluice.toml` and what will be otherwise, found out by building both trees of the
 * same files and comparing them.
 */
import { buildLibreqos, type LibreqosBuilt } from "../build.ts";
import { change, type CircuitPair, type NodePair, pairCircuits, pairNodes } from "./compare.ts";
import { counted, type Finding, FINDINGS } from "./finding.ts";
import { libreqosRefusals, ownRefusals, scaledMinimums, treeShape, unshaped } from "./inputs.ts";
import { confFindings, topFindings } from "./line.ts";
import { buildOwn, type MigrationInput, type Own } from "./own.ts";
import { circuitFindings, nodeFindings } from "./rates.ts";

/** What comes of it. */
export interface Migration {
  /** Text of the `sluice.toml`. */
  readonly toml: string;
  /** In the order of {@link FINDINGS}. */
  readonly findings: readonly Finding[];
  /** Whether sluice takes the files as they are. */
  readonly ready: boolean;
}

/** Queues do not matter for what is compared; LibreQoS's dry runs have as many. */
const QUEUES = 16;

const unchanged = (pairs: readonly (NodePair | CircuitPair)[]): number =>
  pairs.filter(({ printed, own }) => change(printed.ceil, own.ceil) === undefined).length;

/** What stays as it is, in numbers. */
function sameFinding(built: LibreqosBuilt, nodes: readonly NodePair[], circuits: readonly CircuitPair[]): Finding {
  const devices = built.circuits.flatMap((circuit) => circuit.devices);
  const addresses = devices.reduce((sum, { ipv4s, ipv6s }) => sum + ipv4s.length + ipv6s.length, 0);
  const title =
    `${counted(built.circuits.length, "circuit")} with ${addresses} addresses; ` +
    `${unchanged(circuits)} of ${counted(circuits.length, "circuit")} and ` +
    `${unchanged(nodes)} of ${counted(nodes.length, "node")} keep their maximum to the bit/s`;
  return { id: "same", kind: "same", title, why: "Interfaces and files are taken over as they are", items: [] };
}

/** What only both trees together tell. */
function comparison(built: LibreqosBuilt, own: Own, sqm: string): Finding[] {
  const { tree, config } = own;
  if (!tree || !config) return [];
  const [nodes, circuits] = [pairNodes(built, tree), pairCircuits(built, tree)];
  return [
    sameFinding(built, nodes, circuits),
    ...nodeFindings(nodes),
    ...circuitFindings(circuits, config, sqm),
    ...topFindings(built, tree, config),
  ];
}

/** Finds the way. Never throws for what is in the files. */
export function migrate(input: MigrationInput): Migration {
  const { options } = input.conf;
  const result = buildLibreqos(input.files, { ...options, queuesAvailable: QUEUES, dryRun: false });
  const own = buildOwn(input);
  const { built } = result;
  const findings = [
    ...libreqosRefusals(result),
    ...ownRefusals(own.problems, built !== undefined),
    ...(own.config ? confFindings(input.conf, own.config) : []),
    ...scaledMinimums(own.problems),
    ...(built ? [...unshaped(built), ...treeShape(built, own.problems)] : []),
    ...(built ? comparison(built, own, options.defaultSqm) : []),
  ];
  return {
    toml: own.toml,
    findings: findings.toSorted((a, b) => FINDINGS.indexOf(a.id) - FINDINGS.indexOf(b.id)),
    ready: !own.problems.some(({ severity }) => severity === "error"),
  };
}
