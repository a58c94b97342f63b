/** Why packets of a group arrive, or do not, as the API tells it. */
import type { Output } from "../../api/routes.ts";
import { parsePrefix } from "../../core/prefix.ts";
import type { Relay } from "../../relay/relay.ts";
import { type InputFact, why } from "../../relay/why.ts";
import { interfacesJson } from "./json.ts";

/** The address in its usual form, as rules have it; what is none is looked for as it is, and not found. */
function usual(group: string): string {
  const host = parsePrefix(group);
  return typeof host === "string" ? group : host.key.slice(0, host.key.indexOf("/"));
}

/** The answer. @param relay undefined while none runs */
export function whyOutput(group: string, relay: Relay | undefined): Output<"relay.why"> {
  const inputs = relay?.inputs() ?? [];
  const facts = interfacesJson(inputs).map(({ interface: device, passedOver, ring }, index): InputFact => {
    const workers = inputs[index]!.workers.map(({ status }) => status);
    return { device, passedOver: passedOver as InputFact["passedOver"], ringDrops: ring.drops, workers };
  });
  const findings = why(usual(group), { views: relay?.views(), inputs: facts });
  return { schema: "sluice/relay-why/1", findings: findings.map((finding) => ({ ...finding })) };
}
