// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts packets and bytes by protocol, and lets all of them go on: a program to start from. What to know when writing
 * one for a hook that it shares with others:
 *
 * - The verdict says whether the next program gets the packet. A program that only watches returns XDP_PASS or
 *   TC_ACT_PIPE, after which the chain goes on unless the program was attached with another --proceed-on.
 *   (TC_ACT_OK accepts the packet: the programs behind would not see it.)
 * - XDP sees a frame as it came from the wire, at the cost of a few dozen nanoseconds, and only what comes in. TC sees
 *   what comes in and what goes out, with the kernel's notes about it (struct __sk_buff).
 * - Build it with clang: -g for the types of the maps, -O2 because the verifier refuses what clang makes without it:
 *
 *     clang -O2 -g -target bpf -mcpu=v3 -I/usr/include/x86_64-linux-gnu -c packet-counter.bpf.c -o packet-counter.bpf.o
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Rows of the map. */
enum protocol {
	IPV4,
	IPV6,
	ARP,
	OTHER,
	PROTOCOLS,
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

/*
 * One value per row and CPU: no two CPUs write to the same, so that adding needs no lock. Who reads it adds them up:
 * bpftool map dump name packet_counts
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROTOCOLS);
	__type(key, __u32);
	__type(value, struct counter);
} packet_counts SEC(".maps");

/* The row of an Ethernet type, which stands in network order. */
static __always_inline enum protocol protocol_of(__be16 type)
{
	switch (type) {
	case bpf_htons(ETH_P_IP):
		return IPV4;
	case bpf_htons(ETH_P_IPV6):
		return IPV6;
	case bpf_htons(ETH_P_ARP):
		return ARP;
	default:
		return OTHER;
	}
}

static __always_inline void count(enum protocol protocol, __u32 bytes)
{
	__u32 row = protocol;
	struct counter *counter = bpf_map_lookup_elem(&packet_counts, &row);

	/* Every row of an array is there, but the verifier wants to see that somebody asked. */
	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

/* Either side of an interface. The kernel has read the Ethernet header, and taken a VLAN tag off. */
SEC("tc")
int count_packets(struct __sk_buff *skb)
{
	count(protocol_of(skb->protocol), skb->len);
	return TC_ACT_PIPE;
}

/* Incoming frames, before the kernel looks at them: tagged frames count as "other", with the header read here. */
SEC("xdp")
int count_xdp(struct xdp_md *ctx)
{
	const struct ethhdr *frame = (void *)(long)ctx->data;
	const void *end = (void *)(long)ctx->data_end;

	/* Nothing may be read without such a test: the verifier refuses the program otherwise. */
	if ((const void *)(frame + 1) > end)
		return XDP_PASS;
	count(protocol_of(frame->h_proto), ctx->data_end - ctx->data);
	return XDP_PASS;
}

/* Some helpers of the kernel are for programs under the GPL only; "Dual BSD/GPL" and "GPL" open them. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
