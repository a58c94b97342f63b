// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Global data of every kind, and a program that shows what it finds in it. */
#include "count.h"

volatile const __u8 GLOBAL_u8;
volatile const __u32 GLOBAL_u32;
volatile __u32 DATA_u32 = 0x01020304;
volatile __u64 BSS_u64;

/* Rows: GLOBAL_u8, GLOBAL_u32, DATA_u32, BSS_u64. */
COUNTERS(globals_seen, 4);

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	put(&globals_seen, 0, GLOBAL_u8);
	put(&globals_seen, 1, GLOBAL_u32);
	put(&globals_seen, 2, DATA_u32);
	put(&globals_seen, 3, BSS_u64);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
