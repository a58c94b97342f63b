/** The API as an OpenAPI 3.1 document, made from the route table. */
import { toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import { type Code, ERRORS } from "../core/codes.ts";
import type { Route, Schema } from "./route.ts";
import { routeRows } from "./routes.ts";
import { failure } from "./schemas/common.ts";
import { node } from "./schemas/shaper.ts";

type Json = Readonly<Record<string, unknown>>;

/** What any route may answer. */
const COMMON: readonly Code[] = ["REQUEST_INVALID", "TOKEN_WRONG", "FORBIDDEN", "INTERNAL", "DAEMON_STOPPING"];
const WITH_BODY: readonly Code[] = ["REQUEST_JSON", "REQUEST_MEDIA", "REQUEST_TOO_LARGE"];

/** Schemas that contain themselves stand among the components. */
const DEFINITIONS = { Node: node };
const CONFIG = {
  errorMode: "ignore",
  definitions: DEFINITIONS,
  overrideRef: ({ referenceId }: { readonly referenceId: string }) => `#/components/schemas/${referenceId}`,
} as const;

/** A schema as JSON Schema; `input` as a caller writes it, `output` as it is answered. */
function jsonSchema(schema: Schema, mode: "input" | "output"): Json {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, { ...CONFIG, typeMode: mode }) as Json;
  return rest;
}

/** The properties of an object's schema, and which of them are needed. */
function parameters(schema: Schema, where: "path" | "query"): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, "input") as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}

const IF_MATCH: Json = {
  name: "If-Match",
  in: "header",
  required: false,
  description: "The tag of the state that is meant; 412 when it moved",
  schema: { type: "string" },
};

function answers(route: Route): Json {
  const codes = [...COMMON, ...(route.body ? WITH_BODY : []), ...(route.errors ?? [])];
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status);
  const failures = [...byStatus].map(([status, all]): [string, Json] => [
    String(status),
    {
      description: all.join(", "),
      content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
    },
  ]);
  const type = route.answers === "stream" ? "text/event-stream" : (route.mediaType ?? "application/json");
  const schema = jsonSchema(route.response, "output");
  return {
    "200": { description: route.summary, content: { [type]: { schema } } },
    ...Object.fromEntries(failures),
  };
}

function operation(name: string, route: Route): Json {
  const given = [
    ...(route.params ? parameters(route.params, "path") : []),
    ...(route.query ? parameters(route.query, "query") : []),
    ...(route.conditional ? [IF_MATCH] : []),
  ];
  const body = route.body && {
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: jsonSchema(route.body, "input"),
          ...(route.example.body !== undefined && { example: route.example.body }),
        },
      },
    },
  };
  return {
    operationId: name,
    summary: route.summary,
    description: route.access === "read" ? "Needs the right to read." : "Needs the right to change.",
    ...(given.length > 0 && { parameters: given }),
    ...body,
    responses: answers(route),
  };
}

/** The document. */
export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of routeRows()) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(name, route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Sluice", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    servers: [{ url: "http://localhost", description: "The Unix socket /run/sluice/sluice.sock, or TCP on loopback" }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: { Failure: jsonSchema(failure, "output"), ...toJsonSchemaDefs(DEFINITIONS, CONFIG) },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}
