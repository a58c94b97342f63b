import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageFault } from "./fault.ts";
import { nextHop } from "./http.ts";

const HTTPS = new URL("https://registry.example/v2/x");
const HTTP = new URL("http://localhost:5000/v2/x");

test("follows redirects by path, host and from HTTP to HTTPS", () => {
  assert.equal(nextHop(HTTPS, "/blobs/1?sig=a").href, "https://registry.example/blobs/1?sig=a");
  assert.equal(nextHop(HTTPS, "https://cdn.example/1").href, "https://cdn.example/1");
  assert.equal(nextHop(HTTP, "http://localhost:5001/1").href, "http://localhost:5001/1");
  assert.equal(nextHop(HTTP, "https://cdn.example/1").href, "https://cdn.example/1");
});

const REFUSALS: readonly (readonly [from: URL, location: string | null, reason: RegExp])[] = [
  [HTTPS, "http://cdn.example/1", /registry\.example redirects to http:\/\/cdn\.example, which is not HTTPS/],
  [HTTPS, "file:///etc/passwd", /redirects to file:\/\/, which is not HTTPS/],
  [HTTP, "ftp://localhost/1", /redirects to ftp:\/\/localhost, which is not HTTPS/],
  [HTTPS, null, /redirects without saying where/],
  [HTTPS, "https://", /redirects to what is no URL/],
  [HTTPS, "https://me:secret@cdn.example/", /redirects with credentials/],
];

for (const [from, location, reason] of REFUSALS) {
  test(`does not follow ${from.protocol} to ${location}`, () => {
    assert.throws(
      () => nextHop(from, location),
      (error) => {
        assert.ok(error instanceof ImageFault && error.code === "IMAGE_UNREACHABLE");
        assert.match(String(error.params["reason"]), reason);
        return true;
      },
    );
  });
}
