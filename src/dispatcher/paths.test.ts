import assert from "node:assert/strict";
import { test } from "node:test";
import { hookPin, linkPin, mapFolder, mapPinName, parsePin, programPin, revisionFolder, sharedPin } from "./paths.ts";

const key = { hook: "tc-egress", nsid: 4_026_531_840, ifindex: 7 } as const;

const split = (path: string): [folder: string, name: string] => {
  const at = path.indexOf("/");
  return at < 0 ? ["", path] : [path.slice(0, at), path.slice(at + 1)];
};

test("every name that we give is read back", () => {
  const pins = [
    [programPin(12), { kind: "program", id: 12 }],
    [mapFolder(12), { kind: "map-set", id: 12 }],
    [linkPin(3), { kind: "link", id: 3 }],
    [sharedPin("hits"), { kind: "shared-map", name: "hits" }],
    [hookPin(key), { kind: "hook", key }],
    [revisionFolder(key, 4), { kind: "revision", key, revision: 4 }],
  ] as const;
  for (const [path, wanted] of pins) assert.deepEqual(parsePin(...split(path)), wanted, path);
});

test("names that are nearly ours are not", () => {
  const names = [
    "prog_",
    "prog_0",
    "prog_01",
    "prog_1x",
    "prog_-1",
    "ext_x",
    "dispatcher_1_2",
    "dispatcher_1_2_0",
    "dispatcher_1_2_link2",
  ];
  for (const folder of ["", "maps", "links", "xdp"])
    for (const name of names) assert.equal(parsePin(folder, name), undefined, `${folder}/${name}`);
});

test("maps behind global data have pins without dots", () => {
  assert.equal(mapPinName({ name: "object.rodata", section: ".rodata" }), "-rodata");
  assert.equal(mapPinName({ name: ".data.mine", section: ".data.mine" }), "-data-mine");
  assert.equal(mapPinName({ name: "hits" }), "hits");
});
