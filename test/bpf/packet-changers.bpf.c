// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Members that use what the kernel lets only some functions be replaced by: helpers that change packets, tail calls. */
#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include "count.h"

/* Rows: packets, and the Ethernet type that adjusts_head or pulls_data read of the last one. */
COUNTERS(change_hits, 2);

/* Whom tail_calls jumps to; empty until a test fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

/* Moves the packet's start by nothing, and reads it anew: pointers from before are void. */
SEC("xdp")
int adjusts_head(struct xdp_md *ctx)
{
	const struct ethhdr *frame;

	if (bpf_xdp_adjust_head(ctx, 0))
		return XDP_ABORTED;
	frame = (void *)(long)ctx->data;
	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	count(&change_hits);
	put(&change_hits, 1, bpf_ntohs(frame->h_proto));
	return XDP_PASS;
}

SEC("xdp")
int tail_calls(struct xdp_md *ctx)
{
	count(&change_hits);
	bpf_tail_call(ctx, &jumps, 0);
	return XDP_PASS;
}

SEC("tc")
int pulls_data(struct __sk_buff *skb)
{
	const struct ethhdr *frame;

	if (bpf_skb_pull_data(skb, 0))
		return TC_ACT_SHOT;
	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	count(&change_hits);
	put(&change_hits, 1, bpf_ntohs(frame->h_proto));
	return TC_ACT_PIPE;
}

/* Marks the packet: the last byte of the sender's Ethernet address becomes 0x5a. */
SEC("tc")
int stores_bytes(struct __sk_buff *skb)
{
	const __u8 mark = 0x5a;

	if (bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto) - 1, &mark, sizeof(mark), 0))
		return TC_ACT_SHOT;
	count(&change_hits);
	return TC_ACT_PIPE;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
