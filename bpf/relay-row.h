/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rows of the relay's program: which one is a packet's, and what it says, read whole while others change.
 */
#ifndef SLUICE_RELAY_ROW_H
#define SLUICE_RELAY_ROW_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "relay.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct rule_key);
	__type(value, struct rule);
} sluice_relay_rules SEC(".maps");

/* By the number of the interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct input);
} sluice_relay_inputs SEC(".maps");

/* The row that a packet is sent by. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rule);
} sluice_relay_row SEC(".maps");

/* The most specific rule: by the source before by the port. */
static __always_inline const struct rule *find(struct rule_key *key, __be16 port)
{
	const struct input *input = bpf_map_lookup_elem(&sluice_relay_inputs, &key->ifindex);
	const struct rule *rule = NULL;
	__u32 kinds;

	if (!input)
		return NULL;
	kinds = input->kinds;
	key->port = port;
	if (kinds & SOURCE_AND_PORT)
		rule = bpf_map_lookup_elem(&sluice_relay_rules, key);
	if (!rule && kinds & SOURCE_ANY_PORT) {
		key->port = 0;
		rule = bpf_map_lookup_elem(&sluice_relay_rules, key);
	}
	if (!rule && kinds & (ANY_SOURCE_PORT | ANY_SOURCE_ANY_PORT)) {
		__builtin_memset(key->source, 0, sizeof(key->source));
		key->port = port;
		if (kinds & ANY_SOURCE_PORT)
			rule = bpf_map_lookup_elem(&sluice_relay_rules, key);
		if (!rule && kinds & ANY_SOURCE_ANY_PORT) {
			key->port = 0;
			rule = bpf_map_lookup_elem(&sluice_relay_rules, key);
		}
	}
	return rule;
}

/* Of the words that a check is made of: each counts by its place. Odd, and small enough for an instruction. */
#define WEIGHT(i) ((((i) + 1) * 0x2545f491u & 0x7fffffff) | 1)
#define KEY_WEIGHTS 16

static __always_inline __u32 fold_check(__u64 sum)
{
	return sum ^ sum >> 32;
}

/* Copies whole words, and makes the check of what it has copied: of all but the last four bytes, where that stands. */
static __always_inline __u64 copy_words(void *to, const void *from, const __u32 size)
{
	const volatile __u64 *words = from;
	const __u32 last = size / sizeof(*words) - 1;
	__u64 sum = 0;

#pragma unroll
	for (__u32 i = 0; i <= last; i++) {
		__u64 word = words[i];

		((__u64 *)to)[i] = word;
		sum += (i < last ? word : word & 0xffffffff) * WEIGHT(i);
	}
	return sum;
}

/*
 * The row of a key as it was at one moment. What is updated or deleted the kernel gives to the next row at once, though somebody
 * may still read it: one that is another, or half of one, is none.
 */
static __noinline const struct rule *snapshot(const struct rule *row, const struct rule_key *key)
{
	const __u64 *words = (const void *)key;
	__u32 zero = 0, outputs;
	struct rule *copy = bpf_map_lookup_elem(&sluice_relay_row, &zero);
	__u64 sum;

	if (!copy)
		return NULL;
	sum = copy_words(copy, row, offsetof(struct rule, output));
#pragma unroll
	for (__u32 i = 0; i < sizeof(*key) / sizeof(*words); i++)
		sum += words[i] * WEIGHT(KEY_WEIGHTS + i);
	outputs = copy->outputs;
	if (copy->check != fold_check(sum) || outputs > MAX_OUTPUTS)
		return NULL;
#pragma nounroll
	for (__u32 i = 0; i < MAX_OUTPUTS && i < outputs; i++) {
		sum = copy_words(&copy->output[i], &row->output[i], sizeof(struct output));
		if (copy->output[i].check != fold_check(sum) + copy->version)
			return NULL;
	}
	return copy;
}

/* What a packet is sent by; NULL: it is left to the workers, who have all rules. Valid until the next packet. */
static __always_inline const struct rule *row_of(struct rule_key *key, __be16 port)
{
	const struct rule *row = find(key, port), *copy;

	if (!row || row->outputs == 0)
		return NULL;
	copy = snapshot(row, key);
	if (copy)
		return copy;
	/* There is another one in its place, or none. */
	row = bpf_map_lookup_elem(&sluice_relay_rules, key);
	return row ? snapshot(row, key) : NULL;
}

#endif
