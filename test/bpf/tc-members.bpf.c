// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Members of TC chains: each counts what reaches it and gives a verdict. */
#include <linux/pkt_cls.h>
#include "count.h"

/* Of ok_count, tc_alpha and tc_beta; tests set it while loading. */
volatile const __s32 verdict = TC_ACT_OK;

COUNTERS(tc_hits, 1);

SEC("tc")
int ok_count(struct __sk_buff *skb)
{
	count(&tc_hits);
	return verdict;
}

/* The same under names that sort. */
SEC("tc")
int tc_alpha(struct __sk_buff *skb)
{
	count(&tc_hits);
	return verdict;
}

SEC("tc")
int tc_beta(struct __sk_buff *skb)
{
	count(&tc_hits);
	return verdict;
}

SEC("tc")
int pipe_count(struct __sk_buff *skb)
{
	count(&tc_hits);
	return TC_ACT_PIPE;
}

SEC("tc")
int shot_count(struct __sk_buff *skb)
{
	count(&tc_hits);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
