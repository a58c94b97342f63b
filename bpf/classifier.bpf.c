// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends every packet to its subscriber's class. Runs at clsact egress, before the transmit queue is picked and before
 * the qdisc: HTB takes the class from skb->priority, and mq takes the queue from skb->queue_mapping.
 *
 * It decides nothing else: it returns TC_ACT_UNSPEC, which goes on with the filters behind it, if any, and lets the
 * packet pass when there are none (TC_ACT_OK would end the chain and silence them).
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "classifier.h"

#define MAX_TAGS 3 /* a service tag, a customer tag, and one more */
#define ETH_P_QINQ_OLD 0x9100
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define NO_VLAN 0xffff
#define VLAN_ID 0x0fff
/* Lengths of the IP headers, and where the addresses stand in them. */
#define IPV4_HEADER 20
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV6_HEADER 40
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24

volatile const struct config config = {};

/* One slot, so that a whole new table takes the old one's place in a single step. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);
		__uint(map_flags, BPF_F_NO_PREALLOC);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(struct host_key));
		__uint(value_size, sizeof(struct host));
	});
} sluice_hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOMES);
	__type(key, __u32);
	__type(value, struct counter);
} sluice_outcomes SEC(".maps");

struct vlan_tag {
	__be16 tci;
	__be16 protocol;
};

struct pppoe {
	__u8 version_type;
	__u8 code;
	__be16 session;
	__be16 length;
	__be16 protocol;
};

/* What has been read of a packet so far. */
struct packet {
	__u32 offset;    /* of the header to read next */
	__be16 protocol; /* of that header, as an Ethernet type */
	__u16 vlan;      /* outermost VLAN id, or NO_VLAN */
};

/*
 * Copies `size` (even) bytes from the packet. False when it ends before. Reading the linear part directly takes half the
 * time of calling the helper, which is left for the rare packet whose headers are spread over fragments.
 */
static __always_inline bool load(struct __sk_buff *skb, __u32 offset, void *to, const __u32 size)
{
	__u32 bounded = offset;
	__u16 *from;

	/*
	 * Every offset is even and below 64. The verifier wants to see both (strict machines reject odd ones), and clang
	 * would drop a mask that changes nothing.
	 */
	asm volatile("%0 &= 62" : "+r"(bounded));
	from = (void *)(long)skb->data + bounded;
	if ((void *)from + size > (void *)(long)skb->data_end)
		return bpf_skb_load_bytes(skb, offset, to, size) == 0;
	/* By halves: headers are aligned to no more on Ethernet, and strict machines reject wider reads. */
#pragma unroll
	for (__u32 i = 0; i < size / sizeof(*from); i++)
		((__u16 *)to)[i] = from[i];
	return true;
}

static __always_inline bool is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD) ||
	       protocol == bpf_htons(ETH_P_QINQ_OLD);
}

/* Reads the Ethernet header and the tags behind it. False when the frame ends before. */
static __always_inline bool read_link(struct __sk_buff *skb, struct packet *packet)
{
	/* The tag that the device shall insert is the outermost, but is not in the frame yet. */
	packet->vlan = skb->vlan_present ? skb->vlan_tci & VLAN_ID : NO_VLAN;
	if (config.bare_ip) {
		packet->offset = 0;
		packet->protocol = skb->protocol;
		return true;
	}
	packet->offset = ETH_HLEN;
	if (!load(skb, ETH_HLEN - sizeof(packet->protocol), &packet->protocol, sizeof(packet->protocol)))
		return false;
#pragma unroll
	for (int i = 0; i < MAX_TAGS && is_tag(packet->protocol); i++) {
		struct vlan_tag tag;

		if (!load(skb, packet->offset, &tag, sizeof(tag)))
			return false;
		if (packet->vlan == NO_VLAN)
			packet->vlan = bpf_ntohs(tag.tci) & VLAN_ID;
		packet->protocol = tag.protocol;
		packet->offset += sizeof(tag);
	}
	return true;
}

/* Steps over a PPPoE session header. False when the frame ends before. */
static __always_inline bool read_pppoe(struct __sk_buff *skb, struct packet *packet)
{
	struct pppoe pppoe;

	if (packet->protocol != bpf_htons(ETH_P_PPP_SES))
		return true;
	if (!load(skb, packet->offset, &pppoe, sizeof(pppoe)))
		return false;
	packet->offset += sizeof(pppoe);
	packet->protocol = pppoe.protocol == bpf_htons(PPP_IPV4)   ? bpf_htons(ETH_P_IP)
			   : pppoe.protocol == bpf_htons(PPP_IPV6) ? bpf_htons(ETH_P_IPV6)
								   : 0;
	return true;
}

/* skb->len counts an offloaded (GSO) train once, headers included, before it is cut into frames. */
static __always_inline void count(enum outcome outcome, __u32 bytes)
{
	__u32 row = outcome;
	struct counter *counter = bpf_map_lookup_elem(&sluice_outcomes, &row);

	if (counter) {
		counter->packets++;
		counter->bytes += bytes;
	}
}

/*
 * Reads the address of the subscriber's end of an IPv4 (4) or IPv6 (6) packet. False when the header is cut off or of
 * another version than announced.
 */
static __always_inline bool read_host(struct __sk_buff *skb, const struct packet *packet, __u32 family, bool download,
				      struct host_key *key)
{
	__u8 start[2];

	if (packet->offset + (family == 4 ? IPV4_HEADER : IPV6_HEADER) > skb->len)
		return false;
	if (!load(skb, packet->offset, start, sizeof(start)) || start[0] >> 4 != family)
		return false;
	key->length = 128;
	if (family == 4) {
		key->address[2] = bpf_htonl(0xffff);
		return load(skb, packet->offset + (download ? IPV4_DESTINATION : IPV4_SOURCE), &key->address[3], 4);
	}
	return load(skb, packet->offset + (download ? IPV6_DESTINATION : IPV6_SOURCE), key->address, 16);
}

static __always_inline struct host *find_host(const struct host_key *key, __u32 family)
{
	__u32 slot = 0;
	void *hosts = bpf_map_lookup_elem(&sluice_hosts, &slot);
	struct host *host = hosts ? bpf_map_lookup_elem(hosts, key) : NULL;

	return host && host->family == family ? host : NULL;
}

/* Sends the packet to its host's class. False when the host has none: X:0 would pass the shaper by, unshaped. */
static __always_inline bool send_to(struct __sk_buff *skb, const struct target *target)
{
	if ((target->classid & 0xffff) == 0)
		return false;
	skb->priority = target->classid;
	if (target->queue)
		skb->queue_mapping = target->queue;
	return true;
}

/*
 * The priority is always written: a socket may carry the number of a class in it (SO_PRIORITY), and 0 is the one value
 * that surely names none, which leaves the packet to the default class.
 */
static __always_inline void send_to_unknown(struct __sk_buff *skb, bool download)
{
	__u32 classid = download ? config.download.classid : config.upload.classid;
	__u32 first = download ? config.download.first_queue : config.upload.first_queue;
	__u32 queues = download ? config.download.queues : config.upload.queues;

	skb->priority = classid & 0xffff ? classid : 0;
	/* The hash's upper bits, scaled: a range of queues without a division. */
	if (first)
		skb->queue_mapping = first + ((__u64)bpf_get_hash_recalc(skb) * queues >> 32);
}

/* The IP version that the packet announces; 0 for anything else. */
static __always_inline __u32 family_of(const struct packet *packet)
{
	return packet->protocol == bpf_htons(ETH_P_IP) ? 4 : packet->protocol == bpf_htons(ETH_P_IPV6) ? 6 : 0;
}

SEC("tc")
int sluice_classify(struct __sk_buff *skb)
{
	bool download = config.side == SIDE_DOWNLOAD;
	enum outcome outcome = MALFORMED;
	struct packet packet = {};
	struct host_key key = {};
	bool whole = read_link(skb, &packet);

	if (config.side == SIDE_VLAN) {
		download = packet.vlan == config.lan_vlan;
		if (!download && packet.vlan != config.internet_vlan) {
			/* On a stick, untagged frames and other VLANs are nobody's traffic: hands off. */
			count(whole ? OTHER_VLAN : MALFORMED, skb->len);
			return TC_ACT_UNSPEC;
		}
	}
	if (whole && read_pppoe(skb, &packet)) {
		__u32 family = family_of(&packet);

		if (family == 0) {
			outcome = NOT_IP;
		} else if (read_host(skb, &packet, family, download, &key)) {
			struct host *host = find_host(&key, family);

			if (host && send_to(skb, download ? &host->download : &host->upload)) {
				count(family == 4 ? KNOWN_IPV4 : KNOWN_IPV6, skb->len);
				return TC_ACT_UNSPEC;
			}
			outcome = family == 4 ? UNKNOWN_IPV4 : UNKNOWN_IPV6;
		}
	}
	send_to_unknown(skb, download);
	count(outcome, skb->len);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
