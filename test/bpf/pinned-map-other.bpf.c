// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts in the same row as shares_a in pinned-map.bpf.c. */
#include "shared-hits.h"

SEC("xdp")
int shares_b(struct xdp_md *ctx)
{
	count(&shared_hits);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
