/**
 * One measurement, in a process of its own, so that neither what was compiled nor what was allocated before counts:
 * `node bench/parity/once-worker.ts CIRCUITS`. Answers with JSON on stdout.
 */
import { buildLibreqos } from "../../src/shaper/libreqos/build.ts";
import { batchText } from "../../src/shaper/libreqos/lines.ts";
import { ispFiles, SETTINGS } from "./isp.ts";

const circuits = Number(process.argv[2]);
const files = ispFiles(circuits);
const before = process.resourceUsage().maxRSS;
const begin = performance.now();
const { built, problems } = buildLibreqos(files, SETTINGS);
if (!built) throw new Error(`LibreQoS does not take the invented ISP: ${problems[0]?.message}`);
const text = batchText(built.commands);
const milliseconds = performance.now() - begin;
const kibibytes = process.resourceUsage().maxRSS;
console.log(JSON.stringify({ milliseconds, kibibytes, grown: kibibytes - before, lines: text.split("\n").length - 1 }));
