# shellcheck shell=dash
# Before a first deployment: would this candidate boot here, and keep its network? What it takes for granted of the
# machine stands in its /etc/firn/preflight (nix/modules/preflight.nix says how). What it does not say is not judged.

preflight() {
	local file=$candidate/etc/firn/preflight
	link_id confirmed
	[ -z "$id" ] && [ -r "$file" ] || return 0
	decline_text=$(boot_findings "$file")
	decline_reason=WouldNotBoot
	[ -z "$decline_text" ] || allowed WouldNotBoot || return 1
	decline_text=$(network_findings "$file")
	decline_reason=WouldLoseNetwork
	[ -z "$decline_text" ] || allowed WouldLoseNetwork
}

# allowed FINDING: the user accepts it.
allowed() {
	case ",$text_allow," in *",$1,"*) return 0 ;; *) return 1 ;; esac
}

boot_findings() {
	local word first second root loader=''
	root=$(root_device)
	grep -q '^fs / ' "$1" || printf 'the candidate has no file system for /; '
	while read -r word first second _; do
		case $word in
		fs) file_system_finding "$root" "$first" "$second" ;;
		loader) loader=$first ;;
		esac
	done <"$1"
	# A container is started by its manager: it has neither loader nor initial ramdisk.
	[ ! -e /run/systemd/container ] || return 0
	case $loader in
	none) printf 'the candidate has no boot loader; ' ;;
	systemd-boot) [ -d /sys/firmware/efi ] || printf 'systemd-boot needs EFI, with which this host was not booted; ' ;;
	esac
	if grep -q '^initrd-module ' "$1"; then missing_modules "$root" "$1"; fi
}

# file_system_finding ROOT MOUNTPOINT DEVICE: of those without which no NixOS boots (its `pathsNeededForBoot`).
file_system_finding() {
	local device=$3
	case $2 in / | /nix | /nix/store | /var | /var/lib | /var/log | /etc | /usr) ;; *) return 0 ;; esac
	case $device in
	UUID=*) device=/dev/disk/by-uuid/${device#*=} ;;
	LABEL=*) device=/dev/disk/by-label/${device#*=} ;;
	PARTUUID=*) device=/dev/disk/by-partuuid/${device#*=} ;;
	PARTLABEL=*) device=/dev/disk/by-partlabel/${device#*=} ;;
	esac
	case $device in *\\*) return 0 ;; /dev/*) ;; *) return 0 ;; esac
	# Where / is not on a disk of this host (a container, a netboot), devices say nothing.
	[ -n "$1" ] || return 0
	if [ ! -e "$device" ]; then
		printf 'the file system for %s is on %s, which this host does not have; ' "$2" "$3"
	elif [ "$2" = / ] && [ "$(resolved "$device")" != "$1" ]; then
		printf 'the candidate expects / on %s, but it is on %s; ' "$3" "$1"
	fi
}

# The device that / is on, nothing where it is none.
root_device() {
	local device
	device=$(awk '$5 == "/" { for (i = 6; i < NF; i++) if ($i == "-") print $(i + 2) }' /proc/self/mountinfo | tail -n 1)
	case $device in /dev/*) resolved "$device" ;; esac
}

# missing_modules DEVICE FILE: drivers of the disk that / is on, of which the candidate's initial ramdisk has none.
missing_modules() {
	local node module
	node=$(resolved "/sys/class/block/${1##*/}")
	while [ -n "$1" ] && [ "${#node}" -gt 12 ]; do
		module=$(resolved "$node/driver/module")
		module=${module##*/}
		if [ -n "$module" ] && [ -e "$node/driver/module" ]; then
			tr - _ <"$2" | grep -qx "initrd_module $(printf %s "$module" | tr - _)" ||
				printf 'the disk of / needs the kernel module %s, which is not in boot.initrd.availableKernelModules; ' "$module"
		fi
		node=${node%/*}
	done
}

network_findings() {
	local address word how port
	# SSH_CONNECTION (ssh(1)): client address and port, server address and port. sudo may have taken it away.
	port=${SSH_CONNECTION:-}
	port=${port##* }
	if [ -n "$port" ] && grep -q '^ssh-port ' "$1" && ! grep -qxF "ssh-port $port" "$1"; then
		printf 'sshd of the candidate does not listen on port %s, by which this host is reached; ' "$port"
	fi
	grep -q '^network-backend ' "$1" || return 0
	! grep -q '^network dhcp ' "$1" || return 0
	# An initial ramdisk (`ip=`) or a hypervisor may have left networkd what it needs.
	if grep -qx 'network-backend networkd' "$1" && ls /run/systemd/network/*.network >/dev/null 2>&1; then return 0; fi
	for address in $(ip -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }'); do
		while read -r word how _ port; do
			[ "$word $how ${port%/*}" != "network static $address" ] || return 0
		done <"$1"
	done
	printf 'the candidate neither asks for an address (DHCP) nor has one of those that this host is reached by'
}
