/** The document that is made from the route table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openApi } from "../src/api/openapi.ts";
import { routeRows } from "../src/api/routes.ts";

const document = openApi("1.2.3");

test("it is OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  assert.ok(result.valid, JSON.stringify(result.errors, undefined, 1));
  assert.equal(validator.version, "3.1");
  const broken = await new Validator().validate({ ...structuredClone(document), paths: { "/x": { get: 1 } } });
  assert.equal(broken.valid, false);
});

test("it has every route, with what may go wrong", () => {
  const paths = document["paths"] as Record<string, Record<string, Record<string, unknown>>>;
  for (const [name, { method, path, body, conditional }] of routeRows()) {
    const operation = paths[path]?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${path}`);
    assert.equal(operation["operationId"], name);
    assert.equal("requestBody" in operation, body !== undefined);
    assert.ok("403" in (operation["responses"] as object));
    assert.equal(JSON.stringify(operation["parameters"] ?? []).includes("If-Match"), conditional === true);
  }
});
