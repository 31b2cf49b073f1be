# shellcheck shell=bash
# How large a packet may be inside. Outside, IPv6, UDP and WireGuard add 80 bytes to it (IPv4: 60).
overhead=80
smallest=1280

# derived_mtu: of the interfaces and routes that lead to the endpoints, whose addresses are read from standard input.
derived_mtu() {
	local least
	least=$(sed 's/^/route get /' | ip -o -force -batch - 2>/dev/null | awk '
		{
			mtu = ""
			for (i = 1; i < NF; i++) {
				if ($i == "dev") device = $(i + 1)
				if ($i == "mtu") mtu = $(i + 1)
			}
			if (mtu == "" && (getline mtu <("/sys/class/net/" device "/mtu")) > 0) close("/sys/class/net/" device "/mtu")
			if (device != "lo" && mtu + 0 > 0 && (least == "" || mtu + 0 < least)) least = mtu + 0
		}
		END { print least }')
	[ -n "$least" ] || least=$(uplink_mtu)
	bounded $((${least:-1500} - overhead))
}

# Where nobody is dialled: peers dial in by the default route's interface.
uplink_mtu() {
	local device
	device=$({ ip -4 -o route show default && ip -6 -o route show default; } 2>/dev/null |
		awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')
	[ -z "$device" ] || cat "/sys/class/net/$device/mtu"
}

bounded() {
	local mtu=$1
	[ "$mtu" -ge $smallest ] || mtu=$smallest
	[ "$mtu" -le 65455 ] || mtu=65455
	printf %s "$mtu"
}

# choose_mtu GIVEN|-: sets `mtu` and `mtu_how`.
choose_mtu() {
	local found=''
	if [ "$1" != - ]; then
		mtu=$1 mtu_how=given
		return 0
	fi
	mtu=$(cat "$runtime"/*.peers 2>/dev/null | endpoint_addresses | derived_mtu) mtu_how=derived
	[ ! -r "$runtime/mtu" ] || read -r found <"$runtime/mtu"
	# What was found stays for as long as nothing says that less is possible.
	[ -z "$found" ] || { [ "$found" -le "$mtu" ] && mtu=$found mtu_how=probed; }
	return 0
}

set_mtu() {
	local device
	for device in $1; do
		[ "$(cat "/sys/class/net/$device/mtu")" = "$2" ] || ip link set dev "$device" mtu "$2"
	done
}

# gets_through ADDRESS BYTES: whether a packet of so many bytes in all, which nobody may cut, is answered. Two tries.
gets_through() {
	local header=28
	case $1 in *:*) header=48 ;; esac
	ping -n -q -c 1 -W 1 -M "do" -s $(($2 - header)) "$1" >/dev/null 2>&1 ||
		ping -n -q -c 1 -W 1 -M "do" -s $(($2 - header)) "$1" >/dev/null 2>&1
}

# probe_path ADDRESS INNER: the largest inner packet, at most INNER; nothing where nobody answers, or time is up.
probe_path() {
	local low=$smallest high=$2 middle
	gets_through "$1" 200 || return 0
	if gets_through "$1" $((high + overhead)); then
		printf '%s\n' "$high"
		return 0
	fi
	# The highest that gets through lies in [low, high).
	while [ $((high - low)) -gt 8 ] && [ $SECONDS -lt 120 ]; do
		middle=$(((low + high) / 2))
		if gets_through "$1" $((middle + overhead)); then low=$middle; else high=$middle; fi
	done
	printf '%s\n' "$low"
}

# probe: the smallest of all paths, into the file `mtu`. The way of an hour ago is asked again, and so is a new one.
probe() {
	local addresses start address now
	addresses=$(cat "$runtime"/*.peers 2>/dev/null | endpoint_addresses | sort)
	[ -n "$addresses" ] || return 0
	now=$(cut -d. -f1 /proc/uptime)
	if [ -r "$runtime/probed" ]; then
		{ read -r start && address=$(cat); } <"$runtime/probed"
		[ "$address" != "$addresses" ] || [ $((now - start)) -gt 3600 ] || return 0
	fi
	start=$(derived_mtu <<<"$addresses")
	for address in $addresses; do
		[ $SECONDS -lt 120 ] || break
		probe_path "$address" "$start"
	done | sort -n | head -n 1 | put "$runtime/mtu"
	[ -s "$runtime/mtu" ] || rm -f "$runtime/mtu"
	printf '%s\n%s\n' "$now" "$addresses" | put "$runtime/probed"
}
