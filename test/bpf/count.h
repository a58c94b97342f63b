/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of the programs that the tests load: a map of one row, or of one row per program. */
#ifndef SLUICE_TEST_COUNT_H
#define SLUICE_TEST_COUNT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTERS(name, rows)                      \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, rows);        \
		__type(key, __u32);               \
		__type(value, __u64);             \
	} name SEC(".maps")

/* Adds one to a row. */
static __always_inline void count_in(void *map, __u32 row)
{
	__u64 *hits = bpf_map_lookup_elem(map, &row);

	if (hits)
		__sync_fetch_and_add(hits, 1);
}

/* Adds one to the first row. */
static __always_inline void count(void *map)
{
	count_in(map, 0);
}

/* Writes a row. */
static __always_inline void put(void *map, __u32 row, __u64 value)
{
	bpf_map_update_elem(map, &row, &value, BPF_ANY);
}

#endif
