import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDocument } from "./document.ts";
import { ImageFault } from "./fault.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const part = { mediaType: "x", digest: DIGEST, size: 7 };
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const manifest = { schemaVersion: 2, config: part, layers: [part] };
const index = { schemaVersion: 2, manifests: [part] };

test("reads manifests and indexes of OCI and Docker", () => {
  const plain = { digest: DIGEST, size: 7 };
  const oci = "application/vnd.oci.image.manifest.v1+json";
  const docker = "application/vnd.docker.distribution.manifest.v2+json";
  for (const mediaType of [undefined, oci, docker])
    assert.deepEqual(parseDocument(bytes({ ...manifest, mediaType })), {
      kind: "manifest",
      config: plain,
      layers: [plain],
    });
  const entry = {
    ...part,
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
    annotations: { "org.opencontainers.image.ref.name": "v1", other: 3 },
  };
  const platform = { os: "linux", architecture: "arm64" };
  const ociIndex = "application/vnd.oci.image.index.v1+json";
  const list = "application/vnd.docker.distribution.manifest.list.v2+json";
  for (const mediaType of [undefined, ociIndex, list])
    assert.deepEqual(parseDocument(bytes({ ...index, mediaType, manifests: [entry, part] })), {
      kind: "index",
      manifests: [{ ...plain, platform, tag: "v1" }, plain],
    });
});

const REFUSALS: readonly (readonly [unknown, RegExp])[] = [
  [[], /its manifest is no JSON object/],
  [null, /its manifest is no JSON object/],
  [{ ...manifest, schemaVersion: 1 }, /Docker's first format/],
  [{ ...manifest, schemaVersion: "2" }, /no schemaVersion 2/],
  [{ ...manifest, ...index }, /both manifests and layers/],
  [{ schemaVersion: 2 }, /neither manifests nor layers/],
  [
    { ...manifest, mediaType: "application/vnd.oci.image.index.v1+json" },
    /has the media type ".*index.*", wanted .*manifest/,
  ],
  [
    { ...index, mediaType: "application/vnd.oci.image.manifest.v1+json" },
    /has the media type ".*manifest.*", wanted .*index/,
  ],
  [{ ...index, mediaType: 3 }, /has a mediaType that is no text/],
  [{ ...index, manifests: {} }, /its manifests are no list/],
  [{ ...manifest, layers: null }, /its layers are no list/],
  [{ ...manifest, config: undefined }, /its configuration is no descriptor/],
  [{ ...manifest, layers: [part, 3] }, /its layer 2 is no descriptor/],
  [
    { ...manifest, layers: [{ ...part, digest: "sha256:../../x" }] },
    /its layer 1 has the digest "sha256:\.\.\/\.\.\/x"/,
  ],
  [{ ...manifest, layers: [{ ...part, digest: `sha512:${"a".repeat(128)}` }] }, /has the digest "sha512:a+…"/],
  [{ ...manifest, layers: [{ ...part, size: -1 }] }, /its layer 1 has no size/],
  [{ ...manifest, layers: [{ ...part, size: 1.5 }] }, /its layer 1 has no size/],
  [{ ...manifest, config: { ...part, size: "7" } }, /its configuration has no size/],
];

for (const [value, reason] of REFUSALS) {
  test(`refuses a document: ${reason.source}`, () => {
    assert.throws(
      () => parseDocument(bytes(value)),
      (error) => {
        assert.ok(error instanceof ImageFault && error.code === "IMAGE_INVALID");
        assert.match(String(error.params["reason"]), reason);
        return true;
      },
    );
  });
}

test("gives its one error for any other bytes", () => {
  const any = fc.oneof(
    fc.uint8Array(),
    fc.jsonValue().map((value) => bytes(value)),
  );
  fc.assert(
    fc.property(any, (given) => {
      assert.throws(() => parseDocument(given), ImageFault);
    }),
  );
});
