import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageFault } from "./fault.ts";
import { checkPlatform, choosePlatform, imageArchitecture } from "./platform.ts";

const entry = (platform?: string) => {
  const [os = "", architecture = ""] = platform?.split("/") ?? [];
  return { digest: `sha256:${platform}`, size: 1, ...(platform !== undefined && { platform: { os, architecture } }) };
};
const choose = (architecture: string, ...platforms: (string | undefined)[]): string =>
  choosePlatform({ kind: "index", manifests: platforms.map((name) => entry(name)) }, architecture).digest;

const refusal = (body: () => void): ImageFault => {
  try {
    body();
  } catch (error) {
    if (error instanceof ImageFault) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
};

test("names architectures as images do", () => {
  assert.equal(imageArchitecture("x64"), "amd64");
  assert.equal(imageArchitecture("arm64"), "arm64");
  assert.equal(imageArchitecture("ia32"), "386");
  assert.equal(imageArchitecture("riscv64"), "riscv64");
  assert.match(imageArchitecture(), /^[a-z0-9]+$/);
});

test("chooses the first image for Linux on the architecture", () => {
  assert.equal(choose("arm64", "linux/amd64", "windows/arm64", "linux/arm64", "linux/arm64"), "sha256:linux/arm64");
  assert.equal(choose("amd64", undefined), "sha256:undefined", "the only one, which does not say what it is for");
});

test("names what there is when nothing fits", () => {
  const { code, params } = refusal(() =>
    choose("arm64", "linux/s390x", "windows/arm64", "linux/386", "unknown/unknown"),
  );
  assert.equal(code, "IMAGE_PLATFORM");
  assert.deepEqual(params, { wanted: "linux/arm64", found: "linux/386, linux/s390x, windows/arm64" });
  assert.equal(refusal(() => choose("arm64", undefined, undefined)).params["found"], "no platform");
  assert.equal(refusal(() => choose("arm64", "li\u001bnux/a")).params["found"], "li?nux/a");
  assert.equal(refusal(() => choose("arm64")).code, "IMAGE_INVALID");
});

test("holds a single image to its own word", () => {
  checkPlatform({ os: "linux", architecture: "arm64" }, "arm64");
  checkPlatform({ os: "unknown", architecture: "unknown" }, "arm64");
  checkPlatform(undefined, "arm64");
  const { code, params } = refusal(() => checkPlatform({ os: "linux", architecture: "s390x" }, "arm64"));
  assert.equal(code, "IMAGE_PLATFORM");
  assert.deepEqual(params, { wanted: "linux/arm64", found: "linux/s390x" });
});
