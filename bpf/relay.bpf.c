// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The relay's kernel plane: sends copies of UDP packets out of other interfaces, to other addresses. Runs at TC ingress,
 * before the stack looks at where a packet comes from (rp_filter) and before the packet sockets of the user plane that
 * ask for IP alone.
 *
 * A packet is taken whole or not at all. What is taken is redirected, and nobody behind sees it; everything else, what
 * is malformed included, gets no verdict (TC_ACT_UNSPEC) and goes on to the user plane, which counts it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "relay.h"
#include "relay-row.h"

#define VLAN_ID 0x0fff
#define IPV4_WITHOUT_OPTIONS 0x45
#define MORE_OR_OFFSET 0x3fff
#define ECN 0x03

volatile const struct config config = {};

/* The one in use is larger: user space makes it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} sluice_relay_counters SEC(".maps");

/* As large as the counters: user space makes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct buckets);
} sluice_relay_buckets SEC(".maps");

struct vlan_tag {
	__be16 tci;
	__be16 protocol;
};

/*
 * The headers as they stand in the packet at this moment, with two bytes before them: then all fields are aligned on the
 * stack, which the verifier insists on.
 */
struct frame {
	__u16 pad;
	__u8 mac[ETH_ALEN];
	__u8 own_mac[ETH_ALEN];
	__be16 type;
	union {
		struct {
			struct iphdr ip;
			struct udphdr udp;
		} v4;
		struct {
			struct ipv6hdr ip;
			struct udphdr udp;
		} v6;
	};
};

/* What is written for each copy ends before the UDP header's length. */
#define LINK_START offsetof(struct frame, mac)
#define REWRITTEN(v6) ((v6) ? offsetof(struct frame, v6.udp.len) - LINK_START : offsetof(struct frame, v4.udp.len) - LINK_START)
#define CHECKSUM_AT(v6) ((v6) ? offsetof(struct frame, v6.udp.check) - LINK_START : offsetof(struct frame, v4.udp.check) - LINK_START)

/* What the copies are made from, and counted by. */
struct packet {
	__be32 source[4]; /* of IPv4 the last word */
	__be16 port;
	__u8 tos;
	__u32 segments; /* that the device will cut it into */
	__u32 bytes;    /* of UDP payload */
	__u64 checksum_flags;
};

/*
 * Copies `size` (even) bytes from the packet, by halves: headers are aligned to no more on Ethernet, and strict machines
 * reject wider reads. False when it ends before.
 */
static __always_inline bool load(struct __sk_buff *skb, __u32 offset, void *to, const __u32 size)
{
	__u16 *from;

	/* The verifier wants to see that the offset is even and small, and clang would drop a mask that changes nothing. */
	asm volatile("%0 &= 62" : "+r"(offset));
	from = (void *)(long)skb->data + offset;
	if ((void *)from + size > (void *)(long)skb->data_end)
		return bpf_skb_load_bytes(skb, offset, to, size) == 0;
#pragma unroll
	for (__u32 i = 0; i < size / sizeof(*from); i++)
		((__u16 *)to)[i] = from[i];
	return true;
}

static __always_inline bool is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

static __always_inline __u32 fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 fold16(__u64 sum)
{
	sum = fold32(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* The sum over an IPv4 header without options: 0xffff when its checksum is right. */
static __always_inline __u16 sum_ipv4(const struct iphdr *ip)
{
	const __u32 *words = (const void *)ip;

	return fold16((__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
}

/* Whether adding this to a checksum changes anything: there are two zeros. */
static __always_inline bool is_zero(__u32 difference)
{
	return difference == 0 || difference == 0xffffffff;
}

static __always_inline bool is_empty(const __u64 *full_at, __u64 now, const struct rate *rate)
{
	__u64 at = *(const volatile __u64 *)full_at;

	return rate->per_second && at > now && at - now >= rate->depth;
}

/* Takes out of a bucket, which may leave a debt. Other processors do the same meanwhile. */
static __always_inline void take(__u64 *full_at, __u64 now, const struct rate *rate, __u64 amount)
{
	__u64 cost;

	if (!rate->per_second)
		return;
	cost = (amount * TICKS_PER_SECOND + rate->per_second - 1) / rate->per_second;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u64 at = *(volatile __u64 *)full_at;

		if (__sync_val_compare_and_swap(full_at, at, (at > now ? at : now) + cost) == at)
			return;
	}
	__sync_fetch_and_add(full_at, cost);
}

/* Whether a packet is more than its rule lets through: one passes while there is something in both of its buckets. */
static __always_inline bool is_capped(const struct rule *rule, const struct packet *packet)
{
	__u64 now = bpf_ktime_get_ns() * TICKS_PER_NS;
	struct buckets *buckets = bpf_map_lookup_elem(&sluice_relay_buckets, &rule->slot);

	if (!buckets)
		return false;
	if (is_empty(&buckets->bits, now, &rule->bits) || is_empty(&buckets->packets, now, &rule->packets))
		return true;
	take(&buckets->bits, now, &rule->bits, 8ULL * packet->bytes);
	take(&buckets->packets, now, &rule->packets, packet->segments);
	return false;
}

static __always_inline void count(__u32 slot, const struct packet *packet)
{
	struct counters *counters = bpf_map_lookup_elem(&sluice_relay_counters, &slot);

	if (counters) {
		counters->packets += packet->segments;
		counters->bytes += packet->bytes;
	}
}

static __always_inline void count_error(__u32 slot, const struct packet *packet)
{
	struct counters *counters = bpf_map_lookup_elem(&sluice_relay_counters, &slot);

	if (counters)
		counters->send_errors += packet->segments;
}

static __always_inline void count_capped(__u32 slot, const struct packet *packet)
{
	struct counters *counters = bpf_map_lookup_elem(&sluice_relay_counters, &slot);

	if (counters)
		counters->capped += packet->segments;
}

/* Sets an address of the frame; returns by how much the checksum's sum changes. */
static __always_inline __u64 set_ipv4(__be32 *field, __be32 address)
{
	__u64 difference = (__u64)(__u32)~*field + address;

	*field = address;
	return difference;
}

static __always_inline __u64 set_ipv6(struct in6_addr *field, const __be32 *address)
{
	__u64 difference = 0;

#pragma unroll
	for (int i = 0; i < 4; i++)
		difference += set_ipv4(&field->in6_u.u6_addr32[i], address[i]);
	return difference;
}

/* Makes the packet this output's copy, starting from what it is after the output before. Addresses count twice for it. */
static __always_inline bool rewrite(struct __sk_buff *skb, struct frame *frame, const struct packet *packet,
				    const struct output *output, const bool v6)
{
	const bool keep = output->flags & KEEP_SOURCE;
	struct udphdr *udp = v6 ? &frame->v6.udp : &frame->v4.udp;
	__be16 before = udp->dest;
	__be16 port = output->port ? output->port : packet->port;
	__u8 tos = output->dscp == KEEP_DSCP ? packet->tos : output->dscp << 2 | (packet->tos & ECN);
	__u32 addresses, link = 0;

	__builtin_memcpy(frame->mac, output->mac, ETH_ALEN);
	__builtin_memcpy(frame->own_mac, output->own_mac, ETH_ALEN);
	if (v6) {
		struct ipv6hdr *ip = &frame->v6.ip;
		__u32 *words = (void *)ip;
		__u64 sum = (__u64)(__u32)~words[0] + (__u32)~words[1];

		words[0] = (words[0] & bpf_htonl(0xf00fffff)) | bpf_htonl((__u32)tos << 20);
		ip->hop_limit = output->ttl;
		link = fold32(sum + words[0] + words[1]);
		addresses = fold32(set_ipv6(&ip->saddr, keep ? packet->source : output->source) +
				   set_ipv6(&ip->daddr, output->group));
	} else {
		struct iphdr *ip = &frame->v4.ip;

		ip->tos = tos;
		ip->ttl = output->ttl;
		addresses = fold32(set_ipv4(&ip->saddr, keep ? packet->source[3] : output->source[3]) +
				   set_ipv4(&ip->daddr, output->group[3]));
		ip->check = 0;
		ip->check = ~sum_ipv4(ip);
	}
	udp->dest = port;
	if (bpf_skb_store_bytes(skb, 0, &frame->mac, REWRITTEN(v6), 0))
		return false;
	/* The helper knows whether the device is still to finish the checksum: then addresses are in it, and ports are not. */
	if (!is_zero(addresses) &&
	    bpf_l4_csum_replace(skb, CHECKSUM_AT(v6), 0, addresses, packet->checksum_flags | BPF_F_PSEUDO_HDR))
		return false;
	if (port != before && bpf_l4_csum_replace(skb, CHECKSUM_AT(v6), before, port, packet->checksum_flags | sizeof(port)))
		return false;
	/*
	 * For a sum over the whole packet that came from a device, the helper takes the addresses for changes that a header
	 * checksum makes good. IPv6 has none; without such a sum this does nothing.
	 */
	if (v6)
		bpf_csum_update(skb, fold32((__u64)addresses + link));
	return true;
}

/* Sends all copies, the last one being the packet itself. */
static __always_inline int forward(struct __sk_buff *skb, struct frame *frame, const struct packet *packet,
				   const struct rule *rule, const bool v6)
{
	__u32 last = rule->outputs - 1;
	const struct output *output;

#pragma nounroll
	for (__u32 i = 0; i < MAX_OUTPUTS - 1 && i < last; i++) {
		output = &rule->output[i];
		if (rewrite(skb, frame, packet, output, v6) && bpf_clone_redirect(skb, output->ifindex, 0) == 0)
			count(output->slot, packet);
		else
			count_error(output->slot, packet);
	}
	/* It is, but clang must not know that the verifier is told so once more. */
	asm volatile("" : "+r"(last));
	if (last >= MAX_OUTPUTS)
		return TC_ACT_SHOT;
	output = &rule->output[last];
	if (!rewrite(skb, frame, packet, output, v6)) {
		count_error(output->slot, packet);
		return TC_ACT_SHOT;
	}
	/* What the device says to it nobody tells. */
	count(output->slot, packet);
	return bpf_redirect(output->ifindex, 0);
}

/* Reads headers that are as most are; false leaves everything else to user space, where there is one place that judges. */
static __always_inline bool parse(struct __sk_buff *skb, __u32 offset, struct frame *frame, struct packet *packet,
				  struct rule_key *key, const bool v6)
{
	const struct udphdr *udp = v6 ? &frame->v6.udp : &frame->v4.udp;
	__u32 length;

	if (v6) {
		const struct ipv6hdr *ip = &frame->v6.ip;

		if (!load(skb, offset, &frame->v6, sizeof(frame->v6)) || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
			return false;
		length = bpf_ntohs(ip->payload_len);
		if (offset + sizeof(*ip) + length > skb->len)
			return false;
		packet->tos = bpf_ntohl(*(__be32 *)ip) >> 20;
		__builtin_memcpy(key->source, &ip->saddr, sizeof(key->source));
		__builtin_memcpy(key->group, &ip->daddr, sizeof(key->group));
	} else {
		const struct iphdr *ip = &frame->v4.ip;

		if (!load(skb, offset, &frame->v4, sizeof(frame->v4)) || *(__u8 *)ip != IPV4_WITHOUT_OPTIONS ||
		    ip->protocol != IPPROTO_UDP || ip->frag_off & bpf_htons(MORE_OR_OFFSET))
			return false;
		length = bpf_ntohs(ip->tot_len);
		if (length < sizeof(*ip) || offset + length > skb->len || sum_ipv4(ip) != 0xffff)
			return false;
		length -= sizeof(*ip);
		packet->tos = ip->tos;
		key->source[2] = key->group[2] = bpf_htonl(0xffff);
		key->source[3] = ip->saddr;
		key->group[3] = ip->daddr;
	}
	if (length < sizeof(*udp) || bpf_ntohs(udp->len) != length)
		return false;
	__builtin_memcpy(packet->source, key->source, sizeof(key->source));
	packet->port = udp->dest;
	packet->bytes = length - sizeof(*udp);
	return true;
}

/* Whether it, or each segment of it, fits through all outputs. Also counts the segments. */
static __always_inline bool fits(struct __sk_buff *skb, __u32 offset, struct packet *packet, const struct rule *rule,
				 const bool v6)
{
	__u32 headers = (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + sizeof(struct udphdr);
	__u32 size = skb->gso_size;

	if (!size) {
		packet->segments = 1;
		packet->checksum_flags = BPF_F_MARK_MANGLED_0;
		return skb->len - offset <= rule->mtu;
	}
	packet->segments = skb->gso_segs;
	/* A virtual machine does not say how many there are. */
	if (!packet->segments)
		packet->segments = (packet->bytes + size - 1) / size;
	/* The device finishes the checksum: a 0 is the sum so far, and does not mean that there is none. */
	packet->checksum_flags = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE;
	return headers + size <= rule->mtu;
}

static __always_inline int relay(struct __sk_buff *skb, __u32 offset, __u16 vlan, bool tagged, const bool v6)
{
	struct rule_key key __attribute__((aligned(8))) = { .ifindex = skb->ifindex, .vlan = vlan };
	const struct rule *rule;
	struct packet packet = {};
	struct frame frame = {};

	if (!parse(skb, offset, &frame, &packet, &key, v6))
		return TC_ACT_UNSPEC;
	rule = row_of(&key, packet.port);
	if (!rule || rule->outputs == 0 || rule->outputs > MAX_OUTPUTS || !fits(skb, offset, &packet, rule, v6))
		return TC_ACT_UNSPEC;
	if (tagged && bpf_skb_vlan_pop(skb))
		return TC_ACT_UNSPEC;
	count(rule->slot, &packet);
	if ((rule->bits.per_second || rule->packets.per_second) && is_capped(rule, &packet)) {
		count_capped(rule->slot, &packet);
		return TC_ACT_SHOT;
	}
	frame.type = v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	return forward(skb, &frame, &packet, rule, v6);
}

SEC("tc")
int sluice_relay(struct __sk_buff *skb)
{
	bool tagged = skb->vlan_present;
	__u16 vlan = tagged ? skb->vlan_tci & VLAN_ID : 0;
	__be16 protocol = skb->protocol;
	__u32 offset = ETH_HLEN;

	/* Seen by an interface that takes in everything: it was sent to somebody else. */
	if (skb->pkt_type == PACKET_OTHERHOST)
		return TC_ACT_UNSPEC;
	/* The kernel takes the outer tag out of the frame before it comes here; one that is still there is the only one. */
	if (is_tag(protocol)) {
		struct vlan_tag tag;

		if (tagged || !load(skb, offset, &tag, sizeof(tag)))
			return TC_ACT_UNSPEC;
		tagged = true;
		vlan = bpf_ntohs(tag.tci) & VLAN_ID;
		protocol = tag.protocol;
		offset += sizeof(tag);
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return relay(skb, offset, vlan, tagged, false);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return relay(skb, offset, vlan, tagged, true);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
