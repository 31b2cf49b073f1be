# shellcheck shell=bash
# Loads the table `inet firn` in one transaction: its sets from the files that say which nodes there are, its chains as
# the system has them. Whoever reads the rules meanwhile sees the old ones or the new ones.
set -euo pipefail

# addresses FAMILY: of standard input, what looks like an address of that family, each once. nft refuses what does not
# look like one to it, and with it all of the transaction.
addresses() {
	awk -v family="$1" '
		{ a = $1 }
		family == 4 && a !~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/ { next }
		family == 6 && (a !~ /^[0-9a-fA-F:.]+$/ || a !~ /:/) { next }
		!seen[a]++ && count++ < 4096 { printf "%s%s", separator, a; separator = ", " }'
}

# listeners FAMILY: of the file, what looks like a port of everyone's at an address of that family; with 0, at every address.
listeners() {
	[ -n "$FIRN_LISTENERS" ] && [ -r "$FIRN_LISTENERS" ] || return 0
	awk -v family="$1" '
		$1 != "bind" || NF != 4 || $4 !~ /^[1-9][0-9]*$/ || length($4) > 5 || $4 > 65535 { next }
		family == 0 && $3 != "*" { next }
		family == 4 && $3 !~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/ { next }
		family == 6 && ($3 !~ /^[0-9a-fA-F:.]+$/ || $3 !~ /:/) { next }
		{ one = family == 0 ? $4 : $3 " . " $4 }
		!seen[one]++ && count++ < 4096 { printf "%s%s", separator, one; separator = ", " }' "$FIRN_LISTENERS"
}

# set_of NAME TYPE ELEMENTS
set_of() {
	printf 'set %s {\ntype %s\n' "$1" "$2"
	[ -z "$3" ] || printf 'elements = { %s }\n' "$3"
	printf '}\n'
}

load() {
	local file files=()
	for file in "$FIRN_NODE_ADDRESSES" "$FIRN_HOSTS"; do
		[ ! -r "$file" ] || files+=("$file")
	done
	local known
	known=$([ ${#files[@]} -eq 0 ] || cat -- "${files[@]}")
	{
		# Made, then deleted: so it works whether or not the table is there.
		printf 'table inet firn\ndelete table inet firn\ntable inet firn {\n'
		set_of nodes4 ipv4_addr "$(addresses 4 <<<"$known")"
		set_of nodes6 ipv6_addr "$(addresses 6 <<<"$known")"
		set_of listeners inet_service "$(listeners 0)"
		set_of listeners4 'ipv4_addr . inet_service' "$(listeners 4)"
		set_of listeners6 'ipv6_addr . inet_service' "$(listeners 6)"
		cat -- "$FIRN_CHAINS"
		printf '}\n'
	} | nft -f -
}

case ${1:-} in
load) load ;;
unload) printf 'table inet firn\ndelete table inet firn\n' | nft -f - ;;
*)
	echo "usage: firn-firewall load|unload" >&2
	exit 2
	;;
esac
