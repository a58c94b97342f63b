/** Routes of the relay. */
import * as v from "valibot";
import { route } from "../route.ts";
import { digits, word } from "../schemas/common.ts";
import * as s from "../schemas/relay.ts";

const id = v.object({ id: word(64) });

/** Of a request with many rules, bytes. */
const RULES_LIMIT = 32 * 1024 * 1024;

/** The rows. */
export const RELAY_ROUTES = {
  "relay.rules": route({
    method: "GET",
    path: "/v1/relay/rules",
    summary: "Every rule of the relay: its state, who carries it out, and what it counted",
    access: "read",
    response: s.rules,
    example: {},
  }),
  "relay.rule": route({
    method: "GET",
    path: "/v1/relay/rules/{id}",
    summary: "One rule, by its id or name",
    access: "read",
    params: id,
    response: s.oneRule,
    errors: ["NOT_FOUND"],
    example: { params: { id: "video" }, status: 404 },
  }),
  "relay.add": route({
    method: "POST",
    path: "/v1/relay/rules",
    summary: "Add a rule, or replace the one with its id; it is kept across restarts",
    access: "change",
    body: s.newRule,
    response: s.added,
    errors: ["CONFIG_VALUE", "RELAY_TWICE", "RELAY_FULL", "RELAY_STATIC", "RELAY_OFF"],
    // examples/isp has no [relay].
    example: {
      body: { interface: "eth0", group: "239.1.1.1", port: 5000, outputs: [{ interface: "eth1" }] },
      status: 409,
    },
  }),
  "relay.load": route({
    method: "POST",
    path: "/v1/relay/load",
    summary:
      "Add rules and replace those with their ids, or with `replace` have no other added ones: all of it or nothing",
    access: "change",
    body: s.wanted,
    bodyLimit: RULES_LIMIT,
    response: s.loaded,
    errors: ["CONFIG_VALUE", "RELAY_TWICE", "RELAY_FULL", "RELAY_STATIC", "RELAY_OFF"],
    example: {
      body: { rules: [{ interface: "eth0", group: "239.1.1.1", port: 5000, outputs: [{ interface: "eth1" }] }] },
      status: 409,
    },
  }),
  "relay.remove": route({
    method: "POST",
    path: "/v1/relay/rules/{id}/remove",
    summary: "Remove a rule that was added, by its id or name",
    access: "change",
    params: id,
    response: s.removed,
    errors: ["NOT_FOUND", "RELAY_STATIC", "RELAY_OFF"],
    example: { params: { id: "video" }, status: 409 },
  }),
  "relay.stats": route({
    method: "GET",
    path: "/v1/relay/stats",
    summary: "What went through, by rule, output and interface, and what was dropped, by reason",
    access: "read",
    response: s.stats,
    example: {},
  }),
  "relay.workers": route({
    method: "GET",
    path: "/v1/relay/workers",
    summary: "The processes that copy packets",
    access: "read",
    response: s.workers,
    example: {},
  }),
  "relay.trace": route({
    method: "POST",
    path: "/v1/relay/rules/{id}/trace",
    summary: "The next packets of a rule with what became of each; workers carry it meanwhile",
    access: "change",
    params: id,
    query: v.object({ packets: v.exactOptional(digits(1, 200), "20"), seconds: v.exactOptional(digits(1, 15), "5") }),
    response: s.traced,
    errors: ["NOT_FOUND"],
    example: { params: { id: "video" }, status: 404 },
  }),
  "relay.why": route({
    method: "GET",
    path: "/v1/relay/why/{group}",
    summary: "Why packets of a group or host arrive, or do not: the likeliest cause first",
    access: "read",
    params: v.object({ group: word(64) }),
    response: s.why,
    example: { params: { group: "239.1.1.1" } },
  }),
} as const;
