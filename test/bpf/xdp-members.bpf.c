// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Members of XDP chains: each counts what reaches it and gives a verdict. */
#include "count.h"

/* Of every program here but drop_count; tests set it while loading. */
volatile const __u32 verdict = XDP_PASS;

COUNTERS(xdp_hits, 1);

SEC("xdp")
int pass_count(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return verdict;
}

/* The same under names that sort. */
SEC("xdp")
int alpha(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return verdict;
}

SEC("xdp")
int beta(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return verdict;
}

SEC("xdp")
int drop_count(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
