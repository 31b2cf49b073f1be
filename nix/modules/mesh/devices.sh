# shellcheck shell=bash
# Devices: made if absent, never made anew while they are listed.

exists() { [ -e "/sys/class/net/$1" ]; }

# make_device DEVICE
make_device() {
	local tries
	if ! userspace; then
		exists "$1" || ip link add dev "$1" type wireguard
		return
	fi
	systemctl start "firn-wireguard@$1.service" || return 1
	# A process that was killed leaves its socket behind: it is there when an answer is.
	for ((tries = 0; tries < 100; tries++)); do
		! wg show "$1" public-key >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	return 1
}

remove_device() {
	rm -f "$runtime/$1.peers"
	if userspace; then
		systemctl stop "firn-wireguard@$1.service"
	elif exists "$1"; then
		ip link del dev "$1"
	fi
}

# ensure_device EPOCH DEVICE PORT: the device with its key and port, up. False where there is no such device.
ensure_device() {
	local said public
	if ! said=$(make_device "$2" 2>&1) || ! wg show "$2" public-key >/dev/null 2>&1; then
		problem "the WireGuard device $2 cannot be made: ${said:-is there something else of that name?}"
		return 1
	fi
	read -r public <"$keys/$1.pub"
	[ "$(wg show "$2" public-key)" = "$public" ] || {
		# A new key, or a new device: none of what was applied to the old one is there.
		rm -f "$runtime/$2.peers"
		wg set "$2" private-key "$keys/$1.key"
		quiet "$2" 2>/dev/null
	}
	listen "$2" "$3"
}

# quiet DEVICE: what the kernel would do by itself on a device that has its peers from elsewhere.
quiet() {
	ip link set dev "$1" addrgenmode none
	echo 0 >"/proc/sys/net/ipv4/conf/$1/send_redirects"
}

# listen DEVICE PORT: setting a port that is set already would make wireguard-go open its sockets anew.
listen() {
	local said=''
	if [ "$(wg show "$1" listen-port)" = "$2" ] && is_up "$1" && { ! userspace || holds_port "$2"; }; then return 0; fi
	# It tries to listen when it is switched on, and then never again.
	! userspace || ip link set dev "$1" down
	if said=$({ wg set "$1" listen-port "$2" && ip link set dev "$1" up; } 2>&1) && { ! userspace || holds_port "$2"; }; then
		return 0
	fi
	problem "the UDP port $2 of $1 cannot be listened on: ${said:-it is not free}$(port_holder "$2")"
}

is_up() { ip -o link show dev "$1" up 2>/dev/null | grep -q .; }

# wireguard-go tells nobody but its log that it has no socket.
holds_port() {
	local tries
	for ((tries = 0; tries < 10; tries++)); do
		if ss -Hlunp "sport = :$1" 2>/dev/null | grep -q '"wireguard-go"'; then return 0; fi
		sleep 0.05
	done
	return 1
}

port_holder() {
	ss -Hlunp "sport = :$1" 2>/dev/null |
		awk 'match($0, /\(\("[^"]+",pid=[0-9]+/) { printf ", %s has it", substr($0, RSTART + 2, RLENGTH - 2); exit }'
}
