/** The option words of CAKE (tc-cake(8)). */
import { CAKE_ACK_FILTER, CAKE_ATM, CAKE_DIFFSERV, CAKE_FLOW } from "./qdisc.ts";
import { type Draft, mask, modes, type OptionWord, rate, sets, size, takes, time, type Vocabulary } from "./words.ts";

/** Round trip times by distance, in microseconds. */
const RTT: Readonly<Record<string, number>> = {
  datacentre: 100,
  lan: 1000,
  metro: 10_000,
  regional: 30_000,
  internet: 100_000,
  oceanic: 300_000,
  satellite: 1_000_000,
  interplanetary: 1_000_000_000,
};

/** What common link layers add to each packet. Overheads of several words add up, as in `ethernet ether-vlan`. */
const LINK_LAYERS: Readonly<Record<string, { overhead: number; mpu?: number; atm?: (typeof CAKE_ATM)[number] }>> = {
  conservative: { overhead: 48, atm: "atm" },
  ethernet: { overhead: 38, mpu: 84 },
  "ether-vlan": { overhead: 4 },
  docsis: { overhead: 18, mpu: 64, atm: "noatm" },
  "pppoe-ptm": { overhead: 30, atm: "ptm" },
  "bridged-ptm": { overhead: 22, atm: "ptm" },
  "pppoa-vcmux": { overhead: 10, atm: "atm" },
  "pppoa-llc": { overhead: 14, atm: "atm" },
  "pppoe-vcmux": { overhead: 32, atm: "atm" },
  "pppoe-llcsnap": { overhead: 40, atm: "atm" },
  "bridged-vcmux": { overhead: 24, atm: "atm" },
  "bridged-llcsnap": { overhead: 32, atm: "atm" },
  "ipoa-vcmux": { overhead: 8, atm: "atm" },
  "ipoa-llcsnap": { overhead: 16, atm: "atm" },
};

/** Limits of the manual values. */
const [LEAST_OVERHEAD, MOST_OVERHEAD] = [-64, 256];

const between = (text: string, min: number, max: number): number | undefined => {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
};

const linkLayers: [string, OptionWord][] = Object.entries(LINK_LAYERS).map(([word, { overhead, ...rest }]) => [
  word,
  {
    takes: undefined,
    apply: (draft: Draft) => {
      const before = typeof draft["overhead"] === "number" ? draft["overhead"] : 0;
      Object.assign(draft, rest, { overhead: before + overhead });
    },
  },
]);

/** `unlimited` is what a CAKE is whose bandwidth is left out. */
const unlimited: OptionWord = {
  takes: undefined,
  apply: (draft) => {
    delete draft["bandwidth"];
  },
};

/** Every word of CAKE. */
export const CAKE_WORDS: Vocabulary = new Map<string, OptionWord>([
  ["bandwidth", rate("bandwidth")],
  ["unlimited", unlimited],
  ["autorate-ingress", sets({ autorateIngress: true })],
  ["rtt", time("rtt")],
  ...Object.entries(RTT).map(([word, rtt]): [string, OptionWord] => [word, sets({ rtt })]),
  ...modes("diffserv", CAKE_DIFFSERV),
  ...modes("flow", CAKE_FLOW),
  ["nat", sets({ nat: true })],
  ["nonat", sets({ nat: false })],
  ["wash", sets({ wash: true })],
  ["nowash", sets({ wash: false })],
  ["split-gso", sets({ splitGso: true })],
  ["no-split-gso", sets({ splitGso: false })],
  ...modes("ackFilter", CAKE_ACK_FILTER),
  ["ingress", sets({ ingress: true })],
  ["egress", sets({ ingress: false })],
  ["memlimit", size("memlimit")],
  ["fwmark", mask("fwmark")],
  ["raw", sets({ overhead: "raw", atm: "noatm" })],
  [
    "overhead",
    takes("overhead", `whole bytes from ${LEAST_OVERHEAD} to ${MOST_OVERHEAD}`, (text) =>
      between(text, LEAST_OVERHEAD, MOST_OVERHEAD),
    ),
  ],
  ["mpu", takes("mpu", `whole bytes from 0 to ${MOST_OVERHEAD}`, (text) => between(text, 0, MOST_OVERHEAD))],
  ...modes("atm", CAKE_ATM),
  ...linkLayers,
]);
