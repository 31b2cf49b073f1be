#!/usr/lib/firn-loader/busybox sh
# Process 1 of a test host until a system takes over: firmware, boot loader and initrd in one. What it promises to
# systems stands in test/nixos/README.md.
set -eu
busybox=/usr/lib/firn-loader/busybox
loader=/boot/firn-loader

"$busybox" mount -t tmpfs -o mode=0755 tmpfs /etc
"$busybox" cp -a /var/lib/persist-etc/. /etc/
"$busybox" mkdir -p /run/systemd/network
"$busybox" cp "$loader/host0.network" /run/systemd/network/70-host0.network

entry=default
if [ -e "$loader/oneshot" ]; then
  entry=oneshot
  system=$("$busybox" cat "$loader/oneshot")
  # Before it is used: whatever happens from here on, the next boot is one of the default.
  "$busybox" rm "$loader/oneshot"
  "$busybox" sync -f "$loader"
else
  system=$("$busybox" cat "$loader/default")
fi
echo "firn-loader: $system ($entry)"
unset PATH
exec "$system/init"
