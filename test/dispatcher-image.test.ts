/** Pulling images from a registry on loopback and from folders. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { pullImage, type PullOptions } from "../src/dispatcher/image/pull.ts";
import {
  forPlatform,
  ImageBuilder,
  OBJECT,
  scratchFolder,
  tagged,
  tarOf,
  TYPES,
  usualLayer,
} from "./helpers/images.ts";
import { refuse, TestRegistry } from "./helpers/registry.ts";

/** A registry, a cache, and pulling with both. */
async function place(): Promise<
  AsyncDisposable & {
    readonly registry: TestRegistry;
    readonly cache: string;
    pull(reference: string, more?: Partial<PullOptions>): ReturnType<typeof pullImage>;
  }
> {
  const registry = await TestRegistry.start();
  const folder = scratchFolder();
  return {
    registry,
    cache: folder.path,
    pull: (reference, more = {}) => pullImage({ reference, cacheFolder: folder.path, arch: "amd64", ...more }),
    async [Symbol.asyncDispose]() {
      folder[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

test("79: an image gives its object and labels, and works without the registry from then on", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/counter:v1", await at.registry.images.image());
  const first = await at.pull(reference);
  assert.deepEqual(Buffer.from(first.image), Buffer.from(OBJECT));
  assert.deepEqual(
    [...first.programs],
    [
      ["count", "xdp"],
      ["mark", "tc"],
    ],
  );
  assert.deepEqual([...first.maps], [["counts", "percpu_array"]]);
  assert.equal(first.fromCache, false);
  assert.ok(at.registry.paths().length > 0);
  for (const policy of ["IfNotPresent", "Never"] as const) {
    const again = await at.pull(reference, { policy });
    assert.deepEqual([again.fromCache, again.digest], [true, first.digest]);
  }
  assert.deepEqual(at.registry.paths(), [], "nobody was asked");
  assert.equal((await at.pull(reference, { policy: "Always" })).fromCache, false);
  assert.ok(at.registry.paths().length > 0);
});

test("79: with the policy Never an image that is not in the cache is an error, and nobody is asked", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/counter:v1", await at.registry.images.image());
  await assert.rejects(at.pull(reference, { policy: "Never" }), {
    code: "IMAGE_NOT_CACHED",
    message: new RegExp(`mage "?${reference}"? (is )?not in (the )?cache and (the )?pull policy is Never`),
  });
  assert.deepEqual(at.registry.paths(), []);
});

test("79: a cache entry that was damaged is fetched anew", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/counter:v1", await at.registry.images.image());
  await at.pull(reference);
  const files = readdirSync(at.cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files) writeFileSync(join(file.parentPath, file.name), "damaged");
  assert.deepEqual(Buffer.from((await at.pull(reference)).image), Buffer.from(OBJECT));
});

test("an index gives the image of this machine, in OCI's words and in Docker's", async () => {
  await using at = await place();
  const { images } = at.registry;
  for (const [tag, docker] of [
    ["oci", false],
    ["docker", true],
  ] as const) {
    const [amd, arm] = [
      await images.image({ docker }),
      await images.image({ docker, architecture: "arm64", labels: { "io.ebpf.programs": '{"arm":"tc"}' } }),
    ];
    const index = images.index(
      [forPlatform(arm, "arm64"), forPlatform(amd, "amd64")],
      docker ? TYPES.dockerList : TYPES.index,
    );
    const reference = at.registry.tag(`me/counter:${tag}`, index);
    assert.ok((await at.pull(reference)).programs.has("count"));
    assert.ok((await at.pull(reference, { arch: "arm64" })).programs.has("arm"));
    await assert.rejects(at.pull(reference, { arch: "riscv64" }), { code: "IMAGE_PLATFORM", message: /amd64/ });
  }
});

test("an image by its digest is what the digest says, whatever its tag says by now", async () => {
  await using at = await place();
  const one = await at.registry.images.image();
  at.registry.tag("me/counter:v1", one);
  const pulled = await at.pull(`${at.registry.host}/me/counter@${one.digest}`);
  assert.equal(pulled.digest, one.digest);
});

test("a folder in OCI layout is read like a registry", async () => {
  using folder = scratchFolder();
  using cache = scratchFolder();
  const images = new ImageBuilder();
  images.writeLayout(folder.path, [tagged(await images.image(), "v1")]);
  const pulled = await pullImage({ reference: `oci:${folder.path}:v1`, cacheFolder: cache.path, arch: "amd64" });
  assert.deepEqual(Buffer.from(pulled.image), Buffer.from(OBJECT));
});

test("a registry that wants a token is given one, and credentials go only where they are asked for", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/counter:v1", await at.registry.images.image());
  const challenge = (response: ServerResponse): true => {
    const realm = `http://${at.registry.host}/token`;
    response.setHeader("www-authenticate", `Bearer realm="${realm}",service="test",scope="repository:me/counter:pull"`);
    refuse(response, 401, "UNAUTHORIZED", "no token");
    return true;
  };
  at.registry.intercept = ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) {
      if (headers.authorization !== "Basic bWU6c2VjcmV0") refuse(response, 401, "DENIED", "who are you?");
      else response.end(JSON.stringify({ token: "open" }));
      return true;
    }
    return headers.authorization === "Bearer open" ? false : challenge(response);
  };
  await assert.rejects(at.pull(reference), { code: "IMAGE_DENIED" });
  assert.deepEqual(Buffer.from((await at.pull(reference, { auth: "bWU6c2VjcmV0" })).image), Buffer.from(OBJECT));
});

test("80: what an image must not be is refused, each with its own words, and nothing of it is kept", async () => {
  await using at = await place();
  const { images } = at.registry;
  const gzip = async (files: Parameters<typeof tarOf>[0]): Promise<Uint8Array> => gzipSync(await tarOf(files));
  const wrongMachine = Buffer.from(OBJECT);
  wrongMachine.writeUInt16LE(62, 18);
  const cases: readonly (readonly [name: string, layers: readonly Uint8Array[], code: string, message: RegExp])[] = [
    ["two-layers", [await usualLayer(), await usualLayer()], "IMAGE_INVALID", /2 layers/],
    ["traversal", [await gzip({ "../evil.o": OBJECT })], "IMAGE_INVALID", /\.\.\/evil\.o/],
    ["absolute", [await gzip({ "/etc/evil.o": OBJECT })], "IMAGE_INVALID", /\/etc\/evil\.o/],
    ["link", [await gzip({ "a.o": { type: "symlink", linkname: "/etc/passwd" } })], "IMAGE_INVALID", /link/],
    ["two-objects", [await gzip({ "a.o": OBJECT, "b.o": OBJECT })], "IMAGE_INVALID", /a\.o|objects/],
    ["no-object", [await gzip({ "readme.txt": Buffer.from("hi") })], "IMAGE_INVALID", /object/],
    ["wrong-machine", [await gzip({ "a.o": wrongMachine })], "IMAGE_INVALID", /BPF|machine/],
    ["no-elf", [gzipSync(Buffer.from("not an object at all"))], "IMAGE_INVALID", /./],
    ["too-large", [gzipSync(Buffer.alloc(17 * 2 ** 20))], "IMAGE_TOO_LARGE", /16 MiB|limit|more than/i],
  ];
  const messages = new Set<string>();
  for (const [name, layers, code, message] of cases) {
    const reference = at.registry.tag(`me/${name}:v1`, await images.image({ layers }));
    await assert.rejects(at.pull(reference), (error: Error & { code: string }) => {
      assert.equal(error.code, code, `${name}: ${error.message}`);
      assert.match(error.message, message, name);
      messages.add(error.message.replaceAll(reference, ""));
      return true;
    });
    await assert.rejects(at.pull(reference, { policy: "Never" }), { code: "IMAGE_NOT_CACHED" }, name);
  }
  assert.equal(messages.size, cases.length, "each has words of its own");
});

test("80: an image for another machine is refused", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/arm:v1", await at.registry.images.image({ architecture: "arm64" }));
  await assert.rejects(at.pull(reference), { code: "IMAGE_PLATFORM", message: /arm64/ });
});

test("what does not fit its digest, ends early or never comes is refused", async () => {
  await using at = await place();
  const reference = at.registry.tag("me/counter:v1", await at.registry.images.image());
  const onBlobs = (answer: (response: ServerResponse) => void): void => {
    at.registry.intercept = ({ url = "" }, response) => {
      if (!url.includes("/blobs/")) return false;
      answer(response);
      return true;
    };
  };
  onBlobs((response) => response.end("something else"));
  await assert.rejects(at.pull(reference), (error: Error & { code: string }) => error.code.startsWith("IMAGE_"));
  onBlobs((response) => {
    response.writeHead(200, { "content-length": 100_000 });
    response.write("the beginning");
    response.destroy();
  });
  await assert.rejects(at.pull(reference), (error: Error & { code: string }) => error.code.startsWith("IMAGE_"));
  at.registry.intercept = (_request, response) => {
    response.destroy();
    return true;
  };
  await assert.rejects(at.pull(reference), { code: "IMAGE_UNREACHABLE" });
  at.registry.intercept = () => false;
  assert.ok((await at.pull(reference)).image.length > 0, "and then it works");
});
