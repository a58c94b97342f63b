/** Rules of the doctor that only one engine can break; the others are provoked on the real kernel. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "./doctor.ts";
import type { DispatcherKey, MemberLink, ProgramRecord } from "./model.ts";
import type { SeenPin, Snapshot } from "./observed.ts";
import { hookPin, programPin, revisionFolder } from "./paths.ts";
import { planHeal } from "./plan/heal.ts";
import { EMPTY_STATE } from "./state/empty.ts";

const NOW = "2026-01-01T00:00:00Z";
const KEY: DispatcherKey = { hook: "xdp", nsid: 4_026_531_840, ifindex: 3 };
const TEXT = "xdp_4026531840_3";

const program = (id: number): ProgramRecord => ({
  id,
  name: `member_${id}`,
  type: "xdp",
  section: "xdp",
  license: "GPL",
  gplCompatible: true,
  source: { kind: "file", path: "/x.o" },
  bytecode: "0".repeat(64),
  globals: {},
  metadata: {},
  mapSet: id,
  sharedMaps: [],
  frags: false,
  tailCalls: false,
  loadedAt: NOW,
});

const member = (programId: number, position: number): MemberLink => ({
  id: position + 1,
  programId,
  details: { kind: "xdp", key: KEY, device: "eth0", priority: 50, position, proceedOn: [2] },
  metadata: {},
  createdAt: NOW,
});

/** A freplace dispatcher with two members, and the extensions' links that are pinned in these slots. */
function snapshot(slots: readonly number[]): Snapshot {
  const programs = [program(10), program(11)];
  const pins: SeenPin[] = [
    ...programs.flatMap(({ id }): SeenPin[] => [
      { kind: "program", id, path: programPin(id), kernelId: id },
      { kind: "map-set", id, path: `maps/${id}` },
    ]),
    { kind: "hook", key: KEY, path: hookPin(KEY), kernelId: 30 },
    { kind: "revision", key: KEY, revision: 2, path: revisionFolder(KEY, 2), programId: 20, slots },
  ];
  const dispatcher = {
    key: KEY,
    device: "eth0",
    revision: 2,
    engine: "freplace" as const,
    programId: 20,
    attachment: { via: "xdp" as const, linkId: 30, mode: "auto" as const },
  };
  return {
    state: {
      ...EMPTY_STATE,
      programs: new Map(programs.map((row) => [row.id, row])),
      links: new Map([member(10, 0), member(11, 1)].map((row) => [row.id, row])),
      dispatchers: new Map([[TEXT, dispatcher]]),
    },
    programs: new Map([10, 11, 20].map((id) => [id, "x"])),
    links: new Set([30]),
    pins,
    strangePins: [],
    hooks: new Map([[TEXT, { key: KEY, place: "present", device: "eth0", programId: 20, holder: 30, via: "xdp" }]]),
    tcx: [],
  };
}

test("70: a slot whose extension is pinned no more is found, and a new revision fills it", () => {
  const healthy = snapshot([0, 1]);
  assert.deepEqual(examine(healthy), []);
  assert.deepEqual(planHeal({ snapshot: healthy, engine: "freplace", now: NOW }), { dispatchers: [], rest: [] });

  const damaged = snapshot([0]);
  const message = "The xdp dispatcher on eth0 has 2 members and 1 pinned links";
  assert.deepEqual(examine(damaged), [{ rule: "dispatcher-link-count", severity: "warning", message }]);
  const { dispatchers, rest } = planHeal({ snapshot: damaged, engine: "freplace", now: NOW });
  const [segment, ...others] = [...dispatchers, ...rest];
  assert.equal(others.length, 0);
  assert.deepEqual(
    segment!.prepare.map(({ kind }) => kind),
    ["revision.build", "hook.swap"],
  );
});
