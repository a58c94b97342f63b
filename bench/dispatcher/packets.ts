/** What a packet pays for a chain: nanoseconds by PROG_TEST_RUN, fused, by empty slots, and without a dispatcher. */
import { readFileSync } from "node:fs";
import { encodeConfig } from "../../src/dispatcher/config-codec.ts";
import { fuse } from "../../src/dispatcher/engines/fused-codec.ts";
import { instruction, OP } from "../../src/dispatcher/engines/instructions.ts";
import { proceedOnMask, type VerdictFamily } from "../../src/dispatcher/proceed-on.ts";
import { loadBtf } from "../../src/linux/bpf/btf.ts";
import { BpfObject } from "../../src/linux/bpf/object.ts";
import { loadProgram, PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { testRunBare } from "../../src/linux/bpf/testrun.ts";
import { Fd } from "../../src/linux/fd.ts";
import { ethernet, ipv4 } from "../../src/linux/packet/frame.ts";
import type { Row, Section } from "../report.ts";
import { alternate } from "../sample.ts";

const COUNTS = [0, 1, 5, 10];
/** XDP_PASS and TC_ACT_PIPE, after which the chain goes on. */
const VERDICT: Readonly<Record<VerdictFamily, number>> = { xdp: 2, tc: 3 };
const TYPE: Readonly<Record<VerdictFamily, number>> = { xdp: PROGRAM_TYPE.XDP, tc: PROGRAM_TYPE.SCHED_CLS };
const EMPTY: Readonly<Record<VerdictFamily, number>> = { xdp: 31, tc: 30 };

/** A program that only returns. */
const member = (family: VerdictFamily): Buffer =>
  Buffer.concat([instruction(OP.MOV64_IMM, 0, 0, VERDICT[family]), instruction(OP.EXIT, 0)]);

function loadDirect(family: VerdictFamily): Fd {
  return loadProgram({ type: TYPE[family], name: "bench_direct", code: member(family), license: "GPL" });
}

function loadFused(family: VerdictFamily, count: number): Fd {
  const mask = proceedOnMask(family, [VERDICT[family], EMPTY[family]]);
  const members = Array.from({ length: count }, (_, i) => ({ name: `member_${i}`, code: member(family), mask }));
  const { code, btf, funcInfo } = fuse(family, members, "global");
  using types = loadBtf(btf);
  return loadProgram({ type: TYPE[family], name: "bench_fused", code, license: "GPL", btf: { fd: types, funcInfo } });
}

/** The dispatcher of the freplace engine with slots that nobody replaced: what its own calls and masks cost. */
function loadStub(family: VerdictFamily, count: number): Fd {
  const image = readFileSync(new URL(`../../bpf/dispatcher-${family}.bpf.o`, import.meta.url));
  using object = BpfObject.open("bench", image);
  const chainCallActions = proceedOnMask(family, [EMPTY[family]]);
  const slot = { chainCallActions, runPriority: 50, programFlags: 0, linkId: 0 };
  const members = Array.from({ length: count }, () => slot);
  object.setReadOnlyData(encodeConfig({ isXdpFrags: false, revision: 1, members }));
  object.load();
  return Fd.duplicate(object.programFd(`sluice_${family}`));
}

/** Measures both families. */
export async function benchPackets(quick: boolean): Promise<Section> {
  const frame = ethernet(ipv4("192.0.2.1", "192.0.2.2"));
  const repeat = quick ? 100_000 : 1_000_000;
  const rows: Row[] = [];
  for (const family of ["xdp", "tc"] as const) {
    for (const count of COUNTS) {
      using owned = new DisposableStack();
      const time = (program: Fd) => (): number => testRunBare(program, frame, repeat).nanoseconds;
      const { fused, stub, direct } = await alternate(quick ? 3 : 9, {
        fused: time(owned.use(loadFused(family, count))),
        stub: time(owned.use(loadStub(family, count))),
        direct: time(owned.use(loadDirect(family))),
      });
      const what = `${family}, ${count} members`;
      rows.push(
        { what, ours: fused, peer: { name: "stub slots", sample: stub }, ...(count > 0 && { target: { ratio: 1.1 } }) },
        { what, ours: fused, peer: { name: "one program directly", sample: direct } },
      );
    }
  }
  return {
    title: "A packet through the fused dispatcher, by PROG_TEST_RUN",
    unit: "nanoseconds",
    rows,
    remarks: [
      "Members only return; a stub's slots are empty, so members that replace them (freplace) add a jump each on top.",
      "With no member both dispatchers return at once.",
    ],
  };
}
