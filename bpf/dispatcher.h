/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the dispatchers share: their configuration, which src/dispatcher/config-codec.ts reads and writes byte for byte,
 * and the slots. Integers are in host order; there is no hidden padding.
 */
#ifndef SLUICE_DISPATCHER_H
#define SLUICE_DISPATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define SLOTS 10
/* So many are "enabled" when compat_test shall be reachable too: members are only ever loaded for what is reachable. */
#define ALL_SLOTS_AND_TEST (SLOTS + 1)

#define CONFIG_MAGIC 236
#define CONFIG_VERSION 2

/*
 * A dispatcher's read-only data, the same for XDP and TC. The kernel freezes it, so that the verifier knows its values
 * and drops what can never run. The first 124 bytes stand as in libxdp's dispatchers, magic and version included, so
 * that whoever reads those can read ours. Of all this the program itself reads the number of slots and the masks; the
 * rest tells what a dispatcher that is found in the kernel is made of.
 */
struct config {
	__u8 magic;
	__u8 version;
	__u8 num_progs_enabled; /* slots with a member: the first so many */
	__u8 is_xdp_frags;      /* loaded for packets in several buffers */
	/*
	 * Per slot: bit b is set when the chain goes on after the verdict that b stands for (XDP: b; TC: b - 1). Bit 31
	 * belongs in each, or an empty slot ends the chain; and nothing behind a mask of 0 can be reached, or replaced.
	 */
	__u32 chain_call_actions[SLOTS];
	__u32 run_prios[SLOTS];       /* of no effect: the slots are in their order */
	__u32 program_flags[SLOTS];   /* what the members were loaded with (BPF_F_XDP_HAS_FRAGS) */
	__u32 member_link_ids[SLOTS]; /* Sluice's ids of the members' links */
	__u32 revision;               /* counts the rebuilds of a hook's dispatcher, from 1 */
	__u32 reserved;
};

_Static_assert(offsetof(struct config, member_link_ids) == 124, "the common part has 124 bytes");
_Static_assert(sizeof(struct config) == 172, "src/dispatcher/config-codec.ts writes 172 bytes");

/* Whole and empty as built. Volatile, or the compiler would take these values for what they are at run time. */
volatile const struct config config = { .magic = CONFIG_MAGIC, .version = CONFIG_VERSION };

/*
 * A function that a member takes the place of (BPF_PROG_TYPE_EXT). Until one does, it returns `empty`, a verdict that
 * no program gives and that bit 31 of the mask lets pass: a slot whose member vanished is as good as none.
 *
 * - It is global, because only such functions may be replaced; and noinline, because there must be one.
 * - The verdict is volatile, or the compiler would see what is returned and leave out the call.
 * - Since Linux 6.12 a program that changes packets or jumps to another (tail call) may only replace a function that
 *   changes packets itself. So each has a call that would change nothing and is never reached; as the verdict might be
 *   anything, the verifier has to take it for possible.
 */
#define SLOT(name, context, empty, no_context, change)	\
	__noinline int name(struct context *ctx)	\
	{						\
		volatile int verdict = empty;		\
							\
		if (!ctx)				\
			return no_context;		\
		if (verdict != empty)			\
			change(ctx, 0);			\
		return verdict;				\
	}

/* For each slot in the order in which they run. */
#define EACH_SLOT(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9)

/*
 * Whether the chain goes on after the verdict that `bit` stands for. A verdict without a bit ends it: shifting that far
 * means nothing in C, and on most machines wraps around to a bit of another verdict.
 */
static __always_inline bool goes_on(__u32 mask, __u32 bit)
{
	return bit < 32 && (mask & (1u << bit)) != 0;
}

#endif
