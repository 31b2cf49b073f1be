# shellcheck shell=bash
# Addresses on every device, since answers may leave by either; routes into the active one.

family_of() { case $1 in *:*) printf -- -6 ;; *) printf -- -4 ;; esac }

# sync_addresses "DEVICE…" "ADDRESS…"
sync_addresses() {
	local device address lines=''
	for device in $1; do
		for address in $2; do
			case $address in
			*:*) ip addr replace "$address/128" dev "$device" nodad ;;
			*) ip addr replace "$address/32" dev "$device" ;;
			esac || problem "the address $address cannot be given to $device"
			lines="$lines$device $address"$'\n'
		done
	done
	touch "$runtime/addresses"
	while read -r device address; do
		case $lines in *"$device $address"$'\n'*) continue ;; esac
		! exists "$device" || ip addr del "$address" dev "$device" 2>/dev/null
	done <"$runtime/addresses"
	printf %s "$lines" | put "$runtime/addresses"
}

# sync_routes DEVICE "ADDRESS…" "NETWORK…": one replaced by another of the same network and metric is never missing.
sync_routes() {
	local network family said source lines=''
	for network in $3; do
		family=$(family_of "$network")
		source=$(source_of "$family" "$2")
		# shellcheck disable=SC2086 # two words, or none
		said=$(ip "$family" route replace "$network" dev "$1" proto $route_protocol metric $route_metric $source 2>&1) ||
			problem "there can be no route to $network through $1: $said"
		lines="$lines$network"$'\n'
	done
	touch "$runtime/routes"
	while read -r network; do
		case $'\n'$lines in *$'\n'"$network"$'\n'*) continue ;; esac
		ip "$(family_of "$network")" route del "$network" proto $route_protocol metric $route_metric 2>/dev/null
	done <"$runtime/routes"
	printf %s "$lines" | put "$runtime/routes"
}

# source_of FAMILY "ADDRESS…": what this host calls itself in the mesh.
source_of() {
	local address
	for address in $2; do
		[ "$(family_of "$address")" != "$1" ] || {
			printf 'src %s' "$address"
			return 0
		}
	done
}
