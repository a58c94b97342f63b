// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for tracepoints and functions, in the kernel and in processes. Each has a row of its own. */
#include "count.h"

enum row {
	TRACEPOINT,
	KPROBE,
	KRETPROBE,
	UPROBE,
	URETPROBE,
	FENTRY,
	FEXIT,
	ROWS,
};

/* Counts this process only, as the first PID namespace numbers it; 0 counts all. Tests set it while loading. */
volatile const __u32 only_pid;

COUNTERS(probe_hits, ROWS);

static __always_inline int hit(enum row row)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (only_pid == 0 || only_pid == pid)
		count_in(&probe_hits, row);
	return 0;
}

/* Next to nobody calls it by themselves; Node's os.getPriority() does. */
SEC("tracepoint/syscalls/sys_enter_getpriority")
int tp_count(void *ctx)
{
	return hit(TRACEPOINT);
}

SEC("kprobe/do_sys_openat2")
int kprobe_count(void *ctx)
{
	return hit(KPROBE);
}

SEC("kretprobe/do_sys_openat2")
int kretprobe_count(void *ctx)
{
	return hit(KRETPROBE);
}

SEC("uprobe")
int uprobe_count(void *ctx)
{
	return hit(UPROBE);
}

SEC("uretprobe")
int uretprobe_count(void *ctx)
{
	return hit(URETPROBE);
}

/* A function that the kernel calls when a tracing program is run by BPF_PROG_TEST_RUN. */
SEC("fentry/bpf_fentry_test1")
int fentry_count(void *ctx)
{
	return hit(FENTRY);
}

SEC("fexit/bpf_fentry_test1")
int fexit_count(void *ctx)
{
	return hit(FEXIT);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
