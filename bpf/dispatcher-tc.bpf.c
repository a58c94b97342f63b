// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs up to ten traffic-control programs one after the other, as dispatcher-xdp.bpf.c does for XDP. For clsact and for
 * TCX, on either side of an interface.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "dispatcher.h"

/* Above every action; its bit is the last one, as that of an action is one above its code: TC_ACT_UNSPEC is -1. */
#define TC_EMPTY 30

/*
 * What is returned when all members let the packet go on. Nobody decided, and that is what this verdict says: the
 * filters of others behind ours still run, and without any the packet passes. TC_ACT_OK, which other dispatchers return
 * here, would accept the packet on behalf of members that did no such thing, and silence everybody behind them.
 */
#define TC_UNDECIDED TC_ACT_UNSPEC

#define TC_SLOT(name) SLOT(name, __sk_buff, TC_EMPTY, TC_ACT_UNSPEC, bpf_skb_pull_data)
#define DEFINE(i) TC_SLOT(prog##i)
EACH_SLOT(DEFINE)
/* In no chain: a function to load a member for before it is known which slot it goes to. */
TC_SLOT(compat_test)

#define RUN(i)								\
	if (config.num_progs_enabled <= i)				\
		return TC_UNDECIDED;					\
	verdict = prog##i(ctx);						\
	if (!goes_on(config.chain_call_actions[i], verdict + 1u))	\
		return verdict;

SEC("tc")
int sluice_tc(struct __sk_buff *ctx)
{
	int verdict;

	EACH_SLOT(RUN)
	if (config.num_progs_enabled >= ALL_SLOTS_AND_TEST)
		compat_test(ctx);
	return TC_UNDECIDED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
