#!/bin/sh
# First process of the guest. Its root file system is the host's, read only; the one place both write to is, by the
# kernel's command line, a folder of the host ($shared, user-mode Linux) or a share of that name (QEMU). What the tests
# write themselves goes to memory.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/tmp TMPDIR=/run/tmp
# Node starts slowly here; compiled and stripped of its types once is enough.
export NODE_COMPILE_CACHE=/run/tmp/node-cache
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/tmp /run/shared
case $shared in
/*) mount -t hostfs -o "$shared" hostfs /run/shared ;;
*) mount -t virtiofs "$shared" /run/shared ;;
esac
# Where programs look for how their kernel was built, if it does not tell itself.
if [ -n "$config" ]; then
  mount -t tmpfs tmpfs /boot
  cp "$config" /boot || echo "init: cannot copy $config: tests cannot tell what this kernel must have"
fi
ip link set lo up
sh /run/shared/start
echo o >/proc/sysrq-trigger
# Returning would be a panic.
sleep 60
