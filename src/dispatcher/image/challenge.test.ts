import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { basicAuthorization, parseChallenges } from "./challenge.ts";
import { ImageFault } from "./fault.ts";

const read = (header: string): unknown[] =>
  parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);

test("reads what registries say", () => {
  const token = { realm: "https://auth.example/token", service: "registry.example", scope: "repository:a/b:pull,push" };
  const header = `Bearer realm="${token.realm}",service="${token.service}",scope="${token.scope}"`;
  assert.deepEqual(read(header), [["bearer", token]]);
  assert.deepEqual(read('BASIC Realm="a \\"b\\""'), [["basic", { realm: 'a "b"' }]]);
  assert.deepEqual(read('Basic realm=x, Bearer realm = "y" ,service=z'), [
    ["basic", { realm: "x" }],
    ["bearer", { realm: "y", service: "z" }],
  ]);
  assert.deepEqual(read("Negotiate, Basic realm=x"), [
    ["negotiate", {}],
    ["basic", { realm: "x" }],
  ]);
  assert.deepEqual(read(""), []);
  assert.deepEqual(read("realm=x"), []);
});

test("takes any header without throwing", () => {
  fc.assert(fc.property(fc.string(), (header) => assert.ok(Array.isArray(parseChallenges(header)))));
});

test("takes base64 of user:password, and never quotes what it refuses", () => {
  const credentials = Buffer.from("me:secret").toString("base64");
  assert.equal(basicAuthorization(`${credentials}\n`), `Basic ${credentials}`);
  for (const bad of ["", "me:secret", "c2VjcmV0", "bWU6c2Vjc*"]) {
    assert.throws(
      () => basicAuthorization(bad),
      (error) => {
        assert.ok(error instanceof ImageFault && error.code === "IMAGE_CREDENTIALS");
        assert.match(String(error.params["reason"]), /^they (are no base64|hold no colon)/);
        return true;
      },
    );
  }
});
