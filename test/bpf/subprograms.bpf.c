// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Members made of several functions: a static one, a global one, and a callback, with most of the stack in use. Needs
 * Linux 5.17 for bpf_loop.
 */
#include <linux/pkt_cls.h>
#include "count.h"

#define WORDS 50

/* Rows: packets, and twice the sum of 0 ... 49, which is 2450. */
COUNTERS(subprogram_hits, 2);

/* 400 bytes of stack, of the 512 that a whole chain of calls may take. */
struct work {
	__u64 words[WORDS];
};

/* The callback: each word becomes its own index. */
static long fill(__u32 index, void *data)
{
	struct work *work = data;

	if (index >= WORDS)
		return 1;
	work->words[index] = index;
	return 0;
}

static __noinline __u64 sum(const struct work *work)
{
	__u64 total = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WORDS; i++)
		total += work->words[i];
	return total;
}

__noinline __u64 twice(__u64 value)
{
	return 2 * value;
}

static __always_inline void work_hard(void)
{
	struct work work = {};

	count(&subprogram_hits);
	bpf_loop(WORDS, fill, &work, 0);
	put(&subprogram_hits, 1, twice(sum(&work)));
}

SEC("xdp")
int xdp_subprograms(struct xdp_md *ctx)
{
	work_hard();
	return XDP_PASS;
}

SEC("tc")
int tc_subprograms(struct __sk_buff *skb)
{
	work_hard();
	return TC_ACT_PIPE;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
