// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Three programs, the last of which the verifier refuses: what the first two made must go again. */
#include "count.h"

COUNTERS(xdp_hits, 1);

SEC("xdp")
int first(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return XDP_PASS;
}

SEC("xdp")
int second(struct xdp_md *ctx)
{
	count(&xdp_hits);
	return XDP_PASS;
}

/* Reads behind the end of the row: "invalid access to map value". */
SEC("xdp")
int third(struct xdp_md *ctx)
{
	__u32 row = 0;
	const __u64 *hits = bpf_map_lookup_elem(&xdp_hits, &row);

	return hits && hits[1] == 0 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
