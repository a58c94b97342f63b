// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs up to ten XDP programs one after the other. Each replaces one of the functions prog0 ... prog9; after each, the
 * verdict decides whether the next one gets the packet or the verdict stands.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "dispatcher.h"

/* Above every XDP action; its bit is the last one. */
#define XDP_EMPTY 31

#define XDP_SLOT(name) SLOT(name, xdp_md, XDP_EMPTY, XDP_ABORTED, bpf_xdp_adjust_head)
#define DEFINE(i) XDP_SLOT(prog##i)
EACH_SLOT(DEFINE)
/* In no chain: a function to load a member for before it is known which slot it goes to. */
XDP_SLOT(compat_test)

#define RUN(i)							\
	if (config.num_progs_enabled <= i)			\
		return XDP_PASS;				\
	verdict = prog##i(ctx);					\
	if (!goes_on(config.chain_call_actions[i], verdict))	\
		return verdict;

SEC("xdp")
int sluice_xdp(struct xdp_md *ctx)
{
	int verdict;

	EACH_SLOT(RUN)
	if (config.num_progs_enabled >= ALL_SLOTS_AND_TEST)
		compat_test(ctx);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
