/** Why packets of a group arrive, or do not: what is known of it, the likeliest cause first. Pure. */
import { REASONS, type Reason, type Rule } from "./model.ts";
import type { RuleView } from "./relay.ts";
import type { Counts } from "./totals.ts";
import type { WorkerStatus } from "./workers/handle.ts";

/** Something found. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: "error" | "warning" | "info";
  readonly text: string;
  /** What to do; empty where there is nothing. */
  readonly remedy: string;
}

/** What can be found: never renamed. */
export type FindingCode =
  | "off"
  | "no-rule"
  | "not-active"
  | "worker-down"
  | "not-joined"
  | "no-packet"
  | "passed-over"
  | "output-unusable"
  | "not-sent"
  | "too-large"
  | "capped"
  | "shed"
  | "ring-full"
  | "user-plane"
  | "ttl"
  | "rpf"
  | "carried";

/** An input as it is seen here. */
export interface InputFact {
  readonly device: string;
  readonly passedOver: Readonly<Record<Reason, number>>;
  readonly ringDrops: number;
  readonly workers: readonly WorkerStatus[];
}

/** What is known. */
export interface WhyFacts {
  /** Of all rules; undefined without a `[relay]`. */
  readonly views: readonly RuleView[] | undefined;
  readonly inputs: readonly InputFact[];
}

const found = (code: FindingCode, severity: Finding["severity"], text: string, remedy = ""): Finding => ({
  code,
  severity,
  text,
  remedy,
});

const nameOf = ({ id, name }: Rule): string => `rule ${name ?? id}`;
const packetsOf = (count: number): string => (count === 1 ? "1 packet" : `${count} packets`);

/** What each reason means for whoever wonders. */
const MEANS: Readonly<Record<Reason, string>> = {
  notIp: "that are not IP",
  notUdp: "that are not UDP",
  badHeader: "with a broken IP header",
  badChecksum: "with a wrong IPv4 header checksum",
  truncated: "that were cut short",
  badLength: "whose UDP length is wrong",
  fragment: "that are IP fragments",
  noRule: "that no rule takes: another group, port, source or VLAN",
  unread: "that a worker had not come to when it ended",
};

function passedOver({ device, passedOver: counts }: InputFact): Finding[] {
  const some = REASONS.filter((reason) => counts[reason] > 0);
  if (some.length === 0) return [];
  const what = some.map((reason) => `${counts[reason]} ${MEANS[reason]}`).join(", ");
  const remedy =
    some.includes("fragment") && some.length === 1
      ? "Let the sender use packets that fit the MTU"
      : "Compare what comes in (tcpdump -ni the interface) with what the rules take";
  return [found("passed-over", "warning", `On ${device} packets were passed over: ${what}`, remedy)];
}

/** What kept packets or copies from being sent. */
function losses(what: string, { sendErrors, tooLarge, capped, shed }: Counts): Finding[] {
  const all: Finding[] = [];
  if (sendErrors > 0)
    all.push(
      found(
        "not-sent",
        "error",
        `The kernel refused ${packetsOf(sendErrors)} ${what}: no route or neighbour, interface down, or a full queue`,
        "Look at ip neigh, ip route and tc -s qdisc for the output",
      ),
    );
  if (tooLarge > 0)
    all.push(
      found(
        "too-large",
        "error",
        `${packetsOf(tooLarge)} ${what} did not fit the output's MTU and could not be fragmented`,
        "Raise the output's MTU, or let the sender send smaller ones",
      ),
    );
  if (capped > 0)
    all.push(
      found(
        "capped",
        "warning",
        `${packetsOf(capped)} ${what} came above max_rate or max_packets`,
        "Raise the rule's cap if more is meant to go through",
      ),
    );
  if (shed > 0)
    all.push(
      found(
        "shed",
        "warning",
        `${packetsOf(shed)} ${what} were given up under overload, in favour of higher classes`,
        "Give the rule a higher class, or the input more workers",
      ),
    );
  return all;
}

const isHost = (address: string): boolean => !/^(22[4-9]|23\d)\.|^ff/i.test(address);

function ofRule(view: RuleView, input: InputFact | undefined): Finding[] {
  const { resolved, carriedBy, kernelReason, joined, counts } = view;
  const { rule, state, reason, slot, outputs } = resolved;
  const name = nameOf(rule);
  if (state !== "active") {
    const what = state === "pending" ? "waits" : state === "paused" ? "is paused" : "has nowhere to send to";
    return [
      found("not-active", "error", `${name} ${what}: ${reason ?? state}`, "It goes on by itself when that is mended"),
    ];
  }
  const all: Finding[] = [];
  const down = input?.workers.filter((worker) => worker.state !== "running") ?? [];
  if (down.length > 0)
    all.push(
      found(
        "worker-down",
        carriedBy === "kernel" ? "warning" : "error",
        `A worker of ${rule.input.interface} is ${down[0]!.state}${down[0]!.reason === undefined ? "" : `: ${down[0]!.reason}`}`,
        "sluice relay worker list tells when it is started again",
      ),
    );
  if (typeof joined === "string")
    all.push(
      found(
        "not-joined",
        "error",
        `${name} could not join ${rule.input.group} on ${rule.input.interface}: ${joined}`,
        "Behind a switch that snoops nothing comes before that; it is tried again by itself",
      ),
    );
  const own = counts(slot);
  if (own.packets === 0) {
    all.push(
      found(
        "no-packet",
        "error",
        `No packet has come for ${name} on ${rule.input.interface}`,
        isHost(rule.input.group)
          ? "See whether they reach the interface: tcpdump -ni the interface, udp"
          : "See whether they reach the interface (tcpdump); if not, the sender's TTL, or a switch or router before it, stops them (rp_filter and routes of this box do not: packets are taken before those are asked)",
      ),
    );
    if (input) all.push(...passedOver(input));
  }
  all.push(...losses(`of ${name}`, own));
  let sent = 0;
  for (const [index, { slot: at, reason: unusable }] of outputs.entries()) {
    const { interface: device, group, ttl, source } = rule.outputs[index]!;
    const to = `to ${group} by ${device}`;
    const copies = counts(at);
    sent += copies.packets;
    if (unusable !== undefined)
      all.push(
        found(
          "output-unusable",
          "error",
          `${name} sends nothing ${to}: ${unusable}`,
          "It goes on by itself when that is mended",
        ),
      );
    all.push(...losses(to, copies));
    if (copies.packets > 0 && ttl === 1 && !isHost(group))
      all.push(
        found(
          "ttl",
          "info",
          `Copies ${to} have a TTL of 1: they reach that segment, and no router beyond it`,
          "Give the output a higher ttl if receivers are further away",
        ),
      );
    if (copies.packets > 0 && source.kind === "preserve")
      all.push(
        found(
          "rpf",
          "info",
          `Copies ${to} keep the sender's address: who receives them there drops them (rp_filter, RPF) unless its own route to that address leads back the same way`,
          'Give the output source = "rewrite", or the receivers a route to the sender or rp_filter = 0',
        ),
      );
  }
  if (input && input.ringDrops > 0)
    all.push(
      found(
        "ring-full",
        "warning",
        `The kernel dropped ${packetsOf(input.ringDrops)} of ${input.device} because the workers did not keep up`,
        "Raise ring_mib or workers in [relay], or see why the kernel does not carry the rule",
      ),
    );
  if (kernelReason !== undefined && rule.engine !== "user")
    all.push(found("user-plane", "info", `${name} is carried by a worker: ${kernelReason}`));
  if (own.packets > 0)
    all.push(
      found(
        "carried",
        "info",
        `${packetsOf(own.packets)} came for ${name}, and ${sent === 1 ? "1 copy was" : `${sent} copies were`} sent by the ${carriedBy === "kernel" ? "kernel" : "worker"}`,
      ),
    );
  return all;
}

const RANK = { error: 0, warning: 1, info: 2 } as const;

/** What there is to say of a group or host, the likeliest cause of trouble first. @param group in its usual form */
export function why(group: string, { views, inputs }: WhyFacts): Finding[] {
  if (!views)
    return [
      found("off", "error", "There is no relay", "Write a line with [relay] into sluice.toml, then run sluice reload"),
    ];
  const own = views.filter(({ resolved: { rule } }) => rule.input.group === group);
  const sending = views.filter(({ resolved: { rule } }) => rule.outputs.some((output) => output.group === group));
  const about = [...new Set([...own, ...sending])];
  if (about.length === 0)
    return [
      found(
        "no-rule",
        "error",
        `No rule takes packets to ${group}, or sends any`,
        `sluice relay rule add ${group.includes(":") ? `[${group}]` : group}:PORT@INTERFACE OUTPUT; sluice relay rule list shows those that there are`,
      ),
    ];
  const findings = about.flatMap((view) =>
    ofRule(
      view,
      inputs.find(({ device }) => device === view.resolved.rule.input.interface),
    ),
  );
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}
