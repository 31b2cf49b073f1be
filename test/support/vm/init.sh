#!/bin/sh
# Process 1 of the ramdisk: finds the disk, unpacks what is this machine's own, and hands over to the loader of test hosts.
PATH=/bin
export PATH
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in /modules/*.ko; do busybox insmod "$module"; done
tries=0
while [ ! -b /dev/vdb ] && [ $tries -lt 200 ]; do
	busybox sleep 0.05
	tries=$((tries + 1))
done
busybox mount -t ext4 /dev/vda /mnt
busybox tar -xf /dev/vdb -C /mnt
# The loader writes to it, and systemd takes what is mounted already.
busybox mount -t tmpfs -o mode=0755 run /mnt/run
# Who loads what the kernel asks for. NixOS sets it likewise.
echo "$(busybox cat /mnt/nix/var/firn-userland)/bin/modprobe" >/proc/sys/kernel/modprobe
# Outside of containers networkd waits for udev, which the stand-in does not have.
busybox ip link set lo up
busybox ip link set eth0 up
busybox ip addr add 10.0.2.15/24 dev eth0
busybox umount /sys
busybox mount --move /dev /mnt/dev
busybox umount /proc
exec busybox switch_root /mnt /usr/lib/firn-loader/init
