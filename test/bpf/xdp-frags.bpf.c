// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A member that takes packets in several buffers. */
#include "count.h"

COUNTERS(xdp_hits, 1);

SEC("xdp.frags")
int frags_pass(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
