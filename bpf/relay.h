/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the relay's program shares with user space: src/relay/kernel/codec.ts reads and writes these structures byte for
 * byte. Integers are in host order unless their type says otherwise; there is no hidden padding.
 */
#ifndef SLUICE_RELAY_H
#define SLUICE_RELAY_H

#include <linux/types.h>

/* Copies of one packet. With a row's key and what the kernel adds, so many fit into 4,096 bytes, which it takes for a row. */
#define MAX_OUTPUTS 60
#define KEEP_DSCP 0xff

/* The program's read-only data. */
struct config {
	__u32 build_id; /* of the object this program comes from */
};

/* What rules an interface has: those of other kinds need not be looked for. */
enum kind {
	SOURCE_AND_PORT = 1,
	SOURCE_ANY_PORT = 2,
	ANY_SOURCE_PORT = 4,
	ANY_SOURCE_ANY_PORT = 8,
};

struct input {
	__u32 kinds;
};

/* IPv4 addresses are ::ffff:a.b.c.d. */
struct rule_key {
	__u32 ifindex;
	__be16 port; /* 0: any */
	__u16 vlan;  /* 0: untagged */
	__be32 group[4];
	__be32 source[4]; /* all 0: any */
};

enum output_flag {
	KEEP_SOURCE = 1,
};

struct output {
	__u32 slot; /* of its counters */
	__u32 ifindex;
	__be16 port; /* 0: the packet's */
	__u8 ttl;
	__u8 dscp; /* or KEEP_DSCP */
	__u32 flags;
	__be32 source[4]; /* of IPv4 the last word */
	__be32 group[4];
	__u8 mac[6]; /* all 0 for a device without a link layer */
	__u8 own_mac[6];
	__u32 check; /* of the above, and of its rule's version */
};

/* So many TICKs are a second: fine enough for the bits of one packet at 100 Gbit/s. */
#define TICKS_PER_NS 16
#define TICKS_PER_SECOND (TICKS_PER_NS * 1000000000ULL)

/* What a rule is held to. */
struct rate {
	__u64 per_second; /* 0: as many as come */
	__u64 depth;      /* what its bucket holds, as time of the rate, in ticks */
};

struct rule {
	__u32 slot; /* of its counters, and of its buckets */
	__u32 outputs; /* 0: the packet is left to user space, whatever other rules say */
	__u32 mtu; /* the smallest of its outputs'; larger packets are left to user space, which fragments them */
	__u32 version; /* made of all the rest, outputs too */
	struct rate bits; /* of UDP payload */
	struct rate packets;
	__u32 reserved;
	__u32 check; /* of the above, and of the key */
	struct output output[MAX_OUTPUTS];
};

/* When the buckets of a rule will be full again, in ticks since the machine started; in the past: they are. */
struct buckets {
	__u64 bits;
	__u64 packets;
};

/* By slot, in the order of COUNTERS in src/relay/model.ts; the program never counts too_large and shed. */
struct counters {
	__u64 packets;
	__u64 bytes;
	__u64 send_errors;
	__u64 too_large;
	__u64 capped;
	__u64 shed;
};

#endif
