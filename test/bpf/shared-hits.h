/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A map that every object which declares it shares by its name. */
#ifndef SLUICE_TEST_SHARED_HITS_H
#define SLUICE_TEST_SHARED_HITS_H

#include "count.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} shared_hits SEC(".maps");

#endif
