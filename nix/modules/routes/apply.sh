# shellcheck shell=bash
# Routes to other nodes, from lines `NETWORK via ADDRESS`. A node that is not reachable yet is none of this unit's
# business: it is tried again, and holds nobody up.
set -uo pipefail
umask 077
runtime=/run/firn/routes
# Told from all others by it; rt_protos of iproute2 knows no such number.
protocol=103
metric=50

family_of() { case $1 in *:*) printf -- -6 ;; *) printf -- -4 ;; esac }

# The address of this node that packets to other pods come from.
source_of() {
	local address
	for address in $FIRN_ADDRESSES; do
		if [ "$(family_of "$address")" = "$1" ] && ip -o "$1" addr show to "$address" | grep -q .; then
			printf 'src %s' "$address"
			return 0
		fi
	done
}

apply() {
	local network via gateway family lines='' said
	touch "$runtime"
	while read -r network via gateway _; do
		if [ "$via" != via ] || [[ ! $network$gateway =~ ^[0-9a-fA-F:./]+$ ]]; then continue; fi
		family=$(family_of "$network")
		lines="$lines$network"$'\n'
		# shellcheck disable=SC2046 # two words, or none
		said=$(ip "$family" route replace "$network" via "$gateway" proto $protocol metric $metric $(source_of "$family") 2>&1) ||
			printf 'no route to %s via %s: %s\n' "$network" "$gateway" "$said" >&2
	done <"$1"
	while read -r network; do
		case $'\n'$lines in *$'\n'"$network"$'\n'*) continue ;; esac
		ip "$(family_of "$network")" route del "$network" proto $protocol 2>/dev/null
	done <"$runtime"
	printf %s "$lines" >"$runtime.new" && mv -T "$runtime.new" "$runtime"
}

(umask 022 && mkdir -p "${runtime%/*}") && exec 9>"$runtime.lock" && flock -w 20 9 || exit 1
case ${1:-} in
apply)
	[ -r "$FIRN_ROUTES" ] || exit 0
	apply "$FIRN_ROUTES"
	;;
remove) apply /dev/null ;;
*)
	echo "usage: firn-routes apply|remove" >&2
	exit 2
	;;
esac
