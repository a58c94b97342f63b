// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that loads beside one that the verifier refuses. */
#include "count.h"

COUNTERS(xdp_hits, 1);

SEC("xdp")
int good(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return XDP_PASS;
}

/* Reads the packet without asking where it ends: "invalid access to packet". */
SEC("xdp")
int bad(struct xdp_md *ctx)
{
	const __u8 *frame = (void *)(long)ctx->data;

	return frame[0] == 0 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
