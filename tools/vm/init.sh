#!/bin/sh
# First process of the guest. Its root file system is the host's, read only; the folder $shared of the host (from the
# kernel's command line) is the one place both write to. What the tests write themselves goes to memory.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/tmp TMPDIR=/run/tmp
# Node starts slowly here; compiled and stripped of its types once is enough.
export NODE_COMPILE_CACHE=/run/tmp/node-cache
# And crash tests start a process for each point at which it is killed: each eighth will do (test/helpers/crash-points.ts).
export SLUICE_TEST_EVERY=8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/tmp /run/shared
mount -t hostfs -o "$shared" hostfs /run/shared
ip link set lo up
sh /run/shared/start
echo o >/proc/sysrq-trigger
# Returning would be a panic.
sleep 60
