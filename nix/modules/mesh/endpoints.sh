# shellcheck shell=bash
# Endpoints as numbers. Names are asked for here and not by wg(8), which would wait for a name server at boot.
declare -A resolved_names=()
names_deadline=0

# numeric ENDPOINT: sets `endpoint` to ADDRESS:PORT or [ADDRESS]:PORT, `-` where there is none (yet).
numeric() {
	endpoint=$1
	local host=${1%:*} port=${1##*:} found
	case $1 in
	-) return 0 ;;
	'['*) return 0 ;;
	esac
	[[ ! $host =~ ^[0-9.]+$ ]] || return 0
	if [ -z "${resolved_names[$host]+known}" ]; then
		found=
		[ "$names_deadline" -ne 0 ] || names_deadline=$((SECONDS + 10))
		[ $SECONDS -ge "$names_deadline" ] || found=$(timeout 3 getent ahosts "$host" | one_address)
		resolved_names[$host]=$found
	fi
	found=${resolved_names[$host]}
	case $found in
	'') endpoint=- ;;
	*:*) endpoint="[$found]:$port" ;;
	*) endpoint=$found:$port ;;
	esac
}

# Of the kind that getent(1) names first, the first in the alphabet: servers of names give them in any order.
one_address() {
	awk 'NR == 1 { kind = index($1, ":") > 0; least = $1 }
		(index($1, ":") > 0) == kind && $1 "" < least "" { least = $1 }
		END { print least }'
}

# Addresses of the endpoints in the lines of peers on standard input, each once, at most 64.
endpoint_addresses() {
	awk '$2 != "-" { sub(/:[0-9]+$/, "", $2); gsub(/[][]/, "", $2); if (!seen[$2]++ && count++ < 64) print $2 }'
}
