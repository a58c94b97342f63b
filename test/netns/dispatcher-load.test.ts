/** Loading and unloading on the real kernel. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { detachLinks, loadPrograms, readObjectFile, unloadPrograms } from "../../src/dispatcher/manage.ts";
import { mapPin, sharedPin } from "../../src/dispatcher/paths.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { linkIds } from "../../src/linux/bpf/ids.ts";
import { createXdpLink, linkInfo, XDP_FLAGS } from "../../src/linux/bpf/link.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { DispatcherLab, OBJECTS } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { ImageBuilder, tagged, tarOf } from "../helpers/images.ts";
import { dropper } from "../helpers/tc-program.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";
import { programInfo } from "../../src/linux/bpf/info.ts";

checkFds();

const mapIds = (id: number, name: string): number[] =>
  kernelProgram(id)!
    .maps.filter((map) => map.name === name)
    .map((map) => map.id);

/** Nothing of a try is left: in the store, among the pins. */
function nothingIn(lab: DispatcherLab): void {
  assert.equal(lab.dispatcher.state().programs.size, 0);
  const left = existsSync(lab.paths.pins)
    ? readdirSync(lab.paths.pins).filter((name) => /^(prog|ext)_/.test(name))
    : [];
  assert.deepEqual(left, []);
  assert.deepEqual(lab.findings(), []);
}

describe("loading", () => {
  test("39: the type must be what the section is for; kinds of one section are told apart by the user", async () => {
    using lab = new DispatcherLab();
    await assert.rejects(lab.load("xdp-members", "tc", "alpha"), {
      code: "OBJECT_TYPE_MISMATCH",
      message: /Program type mismatch: "alpha" was asked for as tc but its ELF section "xdp" implies xdp/,
    });
    nothingIn(lab);
    assert.equal((await lab.load("tc-members", "tcx", "ok_count")).type, "tcx");
  });

  test("40: a function that is not there is an error with those that are", async () => {
    using lab = new DispatcherLab();
    await assert.rejects(lab.load("xdp-members", "xdp", "gamma"), {
      code: "OBJECT_PROGRAM_MISSING",
      message: /has no program "gamma"; it has: pass_count, alpha, beta, drop_count/,
    });
  });

  test("41: a broken program beside the named one does not matter", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("broken", "xdp", "good");
    await lab.attach(program, "xdp");
    lab.send(1);
    assert.equal(lab.hits(program), 1);
  });

  test("42: what the verifier said reaches the user, and nothing is left", () => {
    using lab = new DispatcherLab();
    const { status, stderr } = lab.sluice(
      "program",
      "load",
      "file",
      join(OBJECTS, "broken.bpf.o"),
      "--programs",
      "xdp:bad",
    );
    assert.equal(status, 1);
    assert.match(stderr, /invalid access to packet/);
    nothingIn(lab);
  });

  test("43, 44: global data is set by name and size, and shown", async () => {
    using lab = new DispatcherLab();
    await assert.rejects(lab.load("globals", "xdp", "globals", { globals: { NOPE: "01" } }), {
      code: "OBJECT_GLOBAL_UNKNOWN",
      message: /has no global variable "NOPE"; it has: .*GLOBAL_u32/,
    });
    await assert.rejects(lab.load("globals", "xdp", "globals", { globals: { GLOBAL_u32: "01" } }), {
      code: "OBJECT_GLOBAL_SIZE",
      message: /"GLOBAL_u32" was given 1 bytes, it takes 4/,
    });
    nothingIn(lab);
    const path = join(OBJECTS, "globals.bpf.o");
    const globals = [
      "-g",
      "GLOBAL_u32=deadbeef",
      "-g",
      "GLOBAL_u8=0x2a",
      "-g",
      "DATA_u32=01000000",
      "-g",
      "BSS_u64=0200000000000000",
    ];
    const { stdout } = lab.sluice("program", "load", "file", path, "--programs", "xdp:globals", ...globals, "--json");
    const [shown] = (JSON.parse(stdout) as { programs: { id: number; globalsBase64: Record<string, string> }[] })
      .programs;
    assert.equal(shown!.globalsBase64["GLOBAL_u32"], "3q2+7w==");
    const program = lab.dispatcher.state().programs.get(shown!.id)!;
    await lab.attach(program, "xdp");
    lab.send(1);
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => lab.hits(program, "globals_seen", row)),
      [0x2a, 0xefbeadde, 1, 2],
    );
  });

  test("45: metadata and application are kept, shown, and select", () => {
    using lab = new DispatcherLab();
    const path = join(OBJECTS, "xdp-members.bpf.o");
    const load = (name: string, ...more: string[]): void => {
      const { status, stderr } = lab.sluice("program", "load", "file", path, "--programs", `xdp:${name}`, ...more);
      assert.equal(status, 0, stderr);
    };
    load("alpha", "-m", "team=net,stage=a=b", "-a", "guard");
    load("beta", "-m", "team=net");
    const names = (...words: string[]): string[] => {
      const { stdout } = lab.sluice("program", "list", "--json", ...words);
      return (JSON.parse(stdout) as { programs: { name: string }[] }).programs.map(({ name }) => name);
    };
    assert.deepEqual(names(), ["alpha", "beta"]);
    assert.deepEqual(names("-m", "team=net"), ["alpha", "beta"]);
    assert.deepEqual(names("-m", "stage=a=b"), ["alpha"]);
    assert.deepEqual(names("--application", "guard"), ["alpha"]);
    assert.match(lab.sluice("program", "list").stdout, /APPLICATION.*\n.*guard.*alpha/);
  });

  test("46: when the third of three is refused, nothing is left of the first two", async () => {
    using lab = new DispatcherLab();
    const path = join(OBJECTS, "three.bpf.o");
    const programs = ["first", "second", "third"].map((name) => ({ type: "xdp" as const, name }));
    const request = { label: path, source: { kind: "file" as const, path }, programs, globals: {}, metadata: {} };
    await assert.rejects(loadPrograms(lab.dispatcher, request, readObjectFile(path)), { code: "BPF_LOAD" });
    nothingIn(lab);
    const { items } = await loadPrograms(
      lab.dispatcher,
      { ...request, programs: programs.slice(0, 2) },
      readObjectFile(path),
    );
    assert.deepEqual(
      items.map(({ mapSet }) => mapSet),
      [items[0]!.id, items[0]!.id],
      "the first owns the maps",
    );
  });

  test("47: one name twice makes two programs", async () => {
    using lab = new DispatcherLab();
    const [one, two] = [await lab.load("xdp-members", "xdp", "alpha"), await lab.load("xdp-members", "xdp", "alpha")];
    assert.notEqual(one.id, two.id);
  });

  test("48, 49, 50: maps are shared with an owner, and live as long as their last user", async () => {
    using lab = new DispatcherLab();
    const owner = await lab.load("xdp-members", "xdp", "alpha");
    const user = await lab.load("xdp-members", "xdp", "beta", { mapOwner: owner.id });
    assert.deepEqual(mapIds(user.id, "xdp_hits"), mapIds(owner.id, "xdp_hits"));
    await lab.attach(owner, "xdp");
    await lab.attach(user, "xdp");
    lab.send(3);
    assert.equal(lab.hits(owner), 6);
    for (const mapOwner of [user.id, 999_999])
      await assert.rejects(lab.load("xdp-members", "xdp", "alpha", { mapOwner }), {
        code: "MAP_OWNER_UNKNOWN",
        message: new RegExp(`map_owner_id ${mapOwner} does not exist`),
      });
    await lab.unload(owner);
    lab.send(3);
    assert.equal(lab.hits(user), 9);
    await lab.unload(user);
    assert.equal(existsSync(join(lab.paths.pins, mapPin(owner.id, "xdp_hits"))), false);
    nothingIn(lab);
  });

  test("51: maps pinned by name are one for all, and go with the last user", async () => {
    using lab = new DispatcherLab();
    const one = await lab.load("pinned-map", "xdp", "shares_a");
    const two = await lab.load("pinned-map-other", "xdp", "shares_b");
    assert.deepEqual(mapIds(one.id, "shared_hits"), mapIds(two.id, "shared_hits"));
    const pin = join(lab.paths.pins, sharedPin("shared_hits"));
    await lab.unload(one);
    assert.ok(existsSync(pin));
    await lab.unload(two);
    assert.equal(existsSync(pin), false);
    nothingIn(lab);
  });
});

describe("images", () => {
  test("79: an image in a folder is loaded by its labels", async () => {
    using lab = new DispatcherLab();
    const images = new ImageBuilder();
    const layer = gzipSync(await tarOf({ "xdp.o": readObjectFile(join(OBJECTS, "xdp-members.bpf.o")) }));
    const architecture = { x64: "amd64" }[process.arch as string] ?? process.arch;
    const labels = { "io.ebpf.programs": '{"alpha":"xdp","beta":"xdp"}', "io.ebpf.maps": '{"xdp_hits":"array"}' };
    const folder = join(lab.root, "image");
    images.writeLayout(folder, [tagged(await images.image({ layers: [layer], labels, architecture }), "v1")]);
    const { status, stdout, stderr } = lab.sluice("program", "load", "image", `oci:${folder}:v1`, "--json");
    assert.equal(status, 0, stderr);
    const shown = (JSON.parse(stdout) as { programs: { name: string; source: { kind: string; digest: string } }[] })
      .programs;
    assert.deepEqual(
      shown.map(({ name, source }) => [name, source.kind]),
      [
        ["alpha", "image"],
        ["beta", "image"],
      ],
    );
    assert.match(shown[0]!.source.digest, /^sha256:/);
    const never = lab.sluice(
      "program",
      "load",
      "image",
      "127.0.0.1:1/x:v1",
      "--pull-policy",
      "Never",
      "--programs",
      "xdp:alpha",
    );
    assert.match(never.stderr, /image 127.0.0.1:1\/x:v1 not in cache and pull policy is Never/);
  });
});

describe("unloading and detaching", () => {
  test("52, 53: a second time is an error, and none with --ignore-missing", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const link = await lab.attach(program, "xdp");
    const twice = (...words: string[]): (number | null)[] => [lab.sluice(...words).status, lab.sluice(...words).status];
    assert.deepEqual(twice("link", "detach", String(link.id)), [0, 1]);
    assert.match(lab.sluice("link", "detach", String(link.id)).stderr, new RegExp(`Link ${link.id} does not exist`));
    assert.equal(lab.sluice("link", "detach", `0x${link.id.toString(16)}`, "--ignore-missing").status, 0);
    assert.deepEqual(twice("program", "unload", String(program.id)), [0, 1]);
    assert.match(
      lab.sluice("program", "unload", String(program.id)).stderr,
      new RegExp(`Program ${program.id} does not exist`),
    );
    assert.equal(lab.sluice("program", "unload", String(program.id), "--ignore-missing").status, 0);
  });

  test("54: what others loaded and attached is not ours to take away", async () => {
    using lab = new DispatcherLab();
    using theirs = dropper();
    const { id } = programInfo(theirs.number);
    await assert.rejects(unloadPrograms(lab.dispatcher, [id]), { code: "PROGRAM_UNMANAGED" });
    assert.ok(kernelProgram(id));
    using pass = tinyProgram(PROGRAM_TYPE.XDP, 2);
    const ifindex = lab.ifindex("d0");
    using link = lab.ns.run(() => createXdpLink(pass, ifindex, XDP_FLAGS.SKB));
    await assert.rejects(detachLinks(lab.dispatcher, [linkInfo(link).id]), { code: "LINK_UNMANAGED" });
    assert.equal(linkInfo(link).ifindex, ifindex, "it is still attached");
  });

  test("58: unloading detaches every link first", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    await lab.attach(program, "xdp");
    await lab.attach(program, "xdp", { device: "e0" });
    await lab.unload(program);
    assert.equal(lab.dispatcher.state().links.size, 0);
    assert.doesNotMatch(lab.sh("ip link"), /xdp/);
    await eventually(() => assert.equal(kernelProgram(program.id), undefined));
    nothingIn(lab);
  });

  test("59: a link's metadata stays through other attaches and detaches", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const link = await lab.attach(program, "xdp", { metadata: { ticket: "42" } });
    const other = await lab.attach(program, "xdp", { priority: 1 });
    await lab.detach(other);
    const kept = lab.dispatcher.state().links.get(link.id)!;
    assert.deepEqual([kept.metadata, kept.createdAt], [{ ticket: "42" }, link.createdAt]);
    const { stdout } = lab.sluice("link", "list", "-q", "-m", "ticket=42");
    assert.equal(stdout.trim(), String(link.id));
  });

  test("63: another process sees the same links, and packets never stopped", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const link = await lab.attach(program, "xdp");
    lab.restart();
    lab.send(2);
    const { stdout } = lab.sluice("link", "list", "--json");
    assert.deepEqual(
      (JSON.parse(stdout) as { links: { id: number }[] }).links.map(({ id }) => id),
      [link.id],
    );
    assert.equal(lab.hits(program), 2);
  });

  test("64: the hook is free when detach returns, and the kernel's link goes", async () => {
    using lab = new DispatcherLab();
    const link = await lab.attach(await lab.load("xdp-members", "xdp", "alpha"), "xdp");
    const { attachment } = lab.record("xdp")!;
    assert.ok(attachment.via === "xdp" && linkIds().includes(attachment.linkId));
    await lab.detach(link);
    assert.doesNotMatch(lab.sh("ip link show d0"), /xdp/);
    await eventually(() => assert.equal(linkIds().includes(attachment.linkId), false));
  });

  test("73: list --all tells of programs that others loaded, as such", async () => {
    using lab = new DispatcherLab();
    using theirs = dropper();
    const { id } = programInfo(theirs.number);
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const { stdout } = lab.sluice("program", "list", "--all", "--json");
    const shown = (JSON.parse(stdout) as { programs: { id: number; managed: boolean }[] }).programs;
    assert.equal(shown.find((row) => row.id === id)?.managed, false);
    assert.equal(shown.find((row) => row.id === program.id)?.managed, true);
  });
});
