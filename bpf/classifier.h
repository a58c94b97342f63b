/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the classifier shares with user space: src/shaper/classifier-codec.ts reads and writes these structures byte for
 * byte. Integers are in host order unless their type says otherwise; there is no hidden padding.
 */
#ifndef SLUICE_CLASSIFIER_H
#define SLUICE_CLASSIFIER_H

#include <linux/types.h>

/* How a packet's direction is found. */
enum side {
	SIDE_DOWNLOAD = 0, /* all that leaves here goes to subscribers */
	SIDE_UPLOAD = 1,   /* all that leaves here goes to the Internet */
	SIDE_VLAN = 2,     /* the outermost VLAN id tells */
};

/* Rows of the counters. */
enum outcome {
	KNOWN_IPV4,
	KNOWN_IPV6,
	UNKNOWN_IPV4,
	UNKNOWN_IPV6,
	NOT_IP,
	OTHER_VLAN,
	MALFORMED,
	OUTCOMES,
};

/* Where packets of unknown hosts go. */
struct unknown_target {
	__u32 classid;     /* 0: the qdisc's default class */
	__u16 first_queue; /* counted from 1; 0: leave the queue to the kernel */
	__u16 queues;      /* flows are spread over so many */
};

/* The program's read-only data. */
struct config {
	__u32 build_id; /* of the object this program comes from */
	__u8 side;
	__u8 bare_ip; /* the device's packets begin with the IP header (tun, ppp, wireguard) */
	__u16 lan_vlan;
	__u16 internet_vlan;
	__u16 reserved;
	struct unknown_target download;
	struct unknown_target upload;
};

/* A prefix of either family in 128 bits; IPv4 is ::ffff:a.b.c.d and 96 bits longer. */
struct host_key {
	__u32 length;
	__be32 address[4];
};

struct target {
	__u32 classid;
	__u32 queue; /* counted from 1, as skb->queue_mapping counts; 0: leave the queue to the kernel */
};

/*
 * The family stands here because a short IPv6 prefix (::/0) also covers the range in which IPv4 lies, and must not
 * claim it.
 */
struct host {
	__u32 family; /* 4 or 6 */
	struct target download;
	struct target upload;
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

#endif
