/** Routes of autorate. */
import * as v from "valibot";
import { route } from "../route.ts";
import * as s from "../schemas/autorate.ts";
import { digits, word, yesNo } from "../schemas/common.ts";

/** The rows. */
export const AUTORATE_ROUTES = {
  "autorate.links": route({
    method: "GET",
    path: "/v1/autorate",
    summary: "Every link whose rate follows its line: state, rates, delays, reflectors",
    access: "read",
    response: s.links,
    example: {},
  }),
  "autorate.link": route({
    method: "GET",
    path: "/v1/autorate/links/{name}",
    summary: "One link with its last ticks: what was decided, and what kept it from going further",
    access: "read",
    params: v.object({ name: word(64) }),
    query: v.object({ ticks: v.exactOptional(digits(0, 600), "20") }),
    response: s.oneLink,
    errors: ["NOT_FOUND"],
    // Nothing follows its line in examples/isp.
    example: { params: { name: "wan" }, status: 404 },
  }),
  "autorate.stream": route({
    method: "GET",
    path: "/v1/autorate/stream",
    summary: "Ticks as they happen, of all links or one; with trace all that they were decided by",
    access: "read",
    answers: "stream",
    query: v.object({
      link: v.exactOptional(word(64)),
      trace: v.exactOptional(yesNo, "false"),
      after: v.exactOptional(digits(0)),
    }),
    response: s.liveTick,
    example: { query: { trace: "true" } },
  }),
} as const;
