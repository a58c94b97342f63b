import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SluiceError } from "../../core/errors.ts";
import { formatReference, parseReference, registryUrl } from "./reference.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${HEX}`;

/** The one spelling of each text. */
const SPELLINGS: Readonly<Record<string, string>> = {
  counter: "docker.io/library/counter:latest",
  "counter:v1": "docker.io/library/counter:v1",
  "me/counter": "docker.io/me/counter:latest",
  "docker.io/counter": "docker.io/library/counter:latest",
  "index.docker.io/me/counter:v1": "docker.io/me/counter:v1",
  "registry-1.docker.io/counter": "docker.io/library/counter:latest",
  "quay.io/bpf/xdp-pass:1.0": "quay.io/bpf/xdp-pass:1.0",
  "Quay.IO/bpf/xdp__pass": "quay.io/bpf/xdp__pass:latest",
  "registry:5000/a/b/c/d:t": "registry:5000/a/b/c/d:t",
  "localhost/counter": "localhost/counter:latest",
  "localhost:5000/counter:v1": "localhost:5000/counter:v1",
  "127.0.0.1:5000/a/counter": "127.0.0.1:5000/a/counter:latest",
  "[::1]:5000/counter:v1": "[::1]:5000/counter:v1",
  "[2001:DB8::1]/counter": "[2001:db8::1]/counter:latest",
  [`counter@${DIGEST}`]: `docker.io/library/counter@${DIGEST}`,
  [`quay.io/me/counter:v1@${DIGEST}`]: `quay.io/me/counter@${DIGEST}`,
  "oci:images/counter": "oci:images/counter",
  "oci:images/counter:v1": "oci:images/counter:v1",
  "oci:/var/lib/my images/x:v1": "oci:/var/lib/my images/x:v1",
  "oci:a:b/counter": "oci:a:b/counter",
  "oci:a:b/counter:v1": "oci:a:b/counter:v1",
  "oci:me@home:v1": "oci:me@home:v1",
  [`oci:images/counter@${DIGEST}`]: `oci:images/counter@${DIGEST}`,
};

for (const [text, spelling] of Object.entries(SPELLINGS)) {
  test(`reads ${text.replace(HEX, "...")}`, () => {
    assert.equal(formatReference(parseReference(text)), spelling);
  });
}

test("tells registries from folders, and tags from digests", () => {
  const registry = { kind: "registry", registry: "localhost:5000", repository: "a/b" };
  assert.deepEqual(parseReference("localhost:5000/a/b:t"), { ...registry, tag: "t" });
  assert.deepEqual(parseReference(`localhost:5000/a/b@${DIGEST}`), { ...registry, digest: DIGEST });
  assert.deepEqual(parseReference("oci:a/b"), { kind: "layout", folder: "a/b" });
  assert.deepEqual(parseReference("oci:a/b:t"), { kind: "layout", folder: "a/b", tag: "t" });
  assert.deepEqual(parseReference(`oci:a/b@${DIGEST}`), { kind: "layout", folder: "a/b", digest: DIGEST });
});

/** What is said about each text. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  "": /it is empty/,
  "a b": /it has blanks/,
  "a\u0007b": /it has control characters/,
  ["a".repeat(1025)]: /it has 1025 characters, at most 1024/,
  [`quay.io/${"a".repeat(256)}`]: /the repository has 256 characters/,
  "https://quay.io/me/counter": /it begins with "https:\/\/", which image references do not have/,
  "docker://me/counter": /it begins with "docker:\/\/"/,
  "/var/lib/counter": /it begins with "\/"; for a folder write oci:FOLDER/,
  "localhost:5000": /it names a registry, but no repository/,
  "[::1]:5000": /it names a registry, but no repository/,
  "quay.io/": /it names no repository/,
  "quay.io/a//b": /a part of the repository between slashes is empty/,
  "me/Counter": /"Counter" has capital letters/,
  "me/-counter": /"-counter" is not lower-case letters/,
  "me/../counter": /"\.\." is not lower-case/,
  "counter:": /the tag after the colon is empty/,
  "counter:-v1": /the tag "-v1" is not/,
  "counter:a:b": /the tag "a:b" is not/,
  [`counter:${"a".repeat(129)}`]: /the tag "a+" is not 1 to 128/,
  "counter@sha256:abc": /the digest "sha256:abc" is not "sha256:" and 64 hex digits/,
  [`counter@sha512:${HEX}${HEX}`]: /the digest "sha512:\w+" is not/,
  [`counter@sha256:${HEX.toUpperCase()}`]: /in lower case/,
  "quay.io:0/counter": /the port "0" is not a number from 1 to 65535/,
  "quay.io:99999/counter": /the port "99999"/,
  "a..b/counter": /"a\.\.b" is no host name/,
  "999.1.1.1/counter": /"999\.1\.1\.1" is no host name/,
  "[::g]/counter": /"\[::g\]" is no host name or address/,
  "[::1/counter": /"\[::1" is no host/,
  "oci:": /it names no folder/,
  "oci::v1": /it names no folder/,
  "oci:folder:": /the tag after the colon is empty/,
  "oci:folder@sha256:../../etc/passwd": /the digest "sha256:\.\.\/\.\.\/etc\/passwd" is not/,
};

for (const [text, reason] of Object.entries(REFUSALS)) {
  test(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.throws(
      () => parseReference(text),
      (error) => {
        assert.ok(error instanceof SluiceError);
        assert.equal(error.code, "IMAGE_REFERENCE");
        assert.match(error.message, reason);
        // eslint-disable-next-line no-control-regex -- these must not reach a terminal
        assert.doesNotMatch(error.message, /[\u0000-\u0009\u000b-\u001f\u007f]/);
        return true;
      },
    );
  });
}

test("asks registries on this machine over plain HTTP, all others over HTTPS", () => {
  const url = (text: string): string => {
    const reference = parseReference(text);
    assert.equal(reference.kind, "registry");
    return registryUrl(reference).href;
  };
  assert.equal(url("localhost:5000/x"), "http://localhost:5000/");
  assert.equal(url("localhost/x"), "http://localhost/");
  assert.equal(url("127.0.0.1:5000/x"), "http://127.0.0.1:5000/");
  assert.equal(url("[::1]:5000/x"), "http://[::1]:5000/");
  assert.equal(url("[::2]:5000/x"), "https://[::2]:5000/");
  assert.equal(url("127.0.0.1.example.com/x"), "https://127.0.0.1.example.com/");
  assert.equal(url("localhost.example.com/x"), "https://localhost.example.com/");
  assert.equal(url("192.0.2.1:5000/x"), "https://192.0.2.1:5000/");
  assert.equal(url("quay.io/x"), "https://quay.io/");
  assert.equal(url("x"), "https://registry-1.docker.io/");
});

const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const component = fc
  .tuple(word, fc.array(fc.tuple(fc.constantFrom(".", "_", "__", "-", "---"), word), { maxLength: 3 }))
  .map(([head, tail]) => head + tail.flat().join(""));
const host = fc.oneof(
  fc.tuple(word, word).map((labels) => labels.map((label) => `h${label}`).join(".")),
  fc.constantFrom("localhost", "127.0.0.1", "[::1]", "[2001:db8::1]"),
);
const registry = fc
  .tuple(host, fc.option(fc.integer({ min: 1, max: 65_535 })))
  .map(([name, port]) => (port === null ? name : `${name}:${port}`));
const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/);
const digest = fc.stringMatching(/^sha256:[0-9a-f]{64}$/);
const version = fc.oneof(
  tag.map((text) => ({ tag: text })),
  digest.map((text) => ({ digest: text })),
);

test("reads back what it writes", () => {
  fc.assert(
    fc.property(registry, repository, version, (name, path, tagOrDigest) => {
      const reference = { kind: "registry", registry: name, repository: path, ...tagOrDigest } as const;
      assert.deepEqual(parseReference(formatReference(reference)), reference);
      const folder = { kind: "layout", folder: `/${path}`, ...tagOrDigest } as const;
      assert.deepEqual(parseReference(formatReference(folder)), folder);
    }),
  );
});

test("whatever the text: a reference whose spelling it reads as the same, or the one error", () => {
  const piece = fc.constantFrom(
    "a",
    "B",
    "/",
    ":",
    "@",
    ".",
    "-",
    "[",
    "]",
    "::1",
    "oci:",
    "sha256:",
    HEX,
    "5000",
    " ",
    "%",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (given) => {
      let reference;
      try {
        reference = parseReference(given);
      } catch (error) {
        assert.ok(error instanceof SluiceError && error.code === "IMAGE_REFERENCE", String(error));
        return;
      }
      assert.deepEqual(parseReference(formatReference(reference)), reference);
      if (reference.kind === "registry") assert.ok(registryUrl(reference).href.endsWith("/"));
    }),
    { numRuns: 2000 },
  );
});
