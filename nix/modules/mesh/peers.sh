# shellcheck shell=bash
# Peers of a device: only those that changed are touched, so that the sessions of the others go on.
declare -A preshared=()

read_preshared() {
	local key secret
	[ -r "$FIRN_MESH_PRESHARED_KEYS" ] || return 0
	while read -r key secret; do
		[[ $secret =~ ^[A-Za-z0-9+/]{43}=$ ]] && preshared[$key]=$secret
	done <"$FIRN_MESH_PRESHARED_KEYS"
	return 0
}

# wanted_peers DEVICE PLAN: fills the array `wanted` with lines `KEY ENDPOINT KEEPALIVE ALLOWED-IPS PRESHARED`.
wanted_peers() {
	local word device key address keepalive allowed secret name endpoint
	wanted=()
	while IFS=$'\t' read -r word device key address keepalive allowed secret name; do
		if [ "$word" != peer ] || [ "$device" != "$1" ]; then continue; fi
		if [ "$secret" = 1 ]; then
			secret=${preshared[$key]:-}
			# Without it there would be a tunnel that is weaker than it was asked for.
			[ -n "$secret" ] || {
				problem "there is no preshared key for $name"
				continue
			}
		else
			secret=-
		fi
		numeric "$address"
		[ "$endpoint" != - ] || [ "$address" = - ] || problem "the endpoint ${address%:*} of $name has no address"
		wanted+=("$key $endpoint $keepalive $allowed $secret")
	done <<<"$2"
}

# sync_peers DEVICE PLAN
sync_peers() {
	local applied=$runtime/$1.peers actual changed said
	local -a wanted
	wanted_peers "$1" "$2"
	actual=$(wg show "$1" peers)
	touch "$applied"
	# Changed since, or taken away by somebody.
	changed=$(printf '%s\n' ${wanted[@]+"${wanted[@]}"} | awk -v actual="$actual" '
		BEGIN { n = split(actual, list, "\n"); for (i = 1; i <= n; i++) there[list[i]] = 1 }
		from == "applied" { same[$0] = 1; next }
		$0 != "" && !($0 in same && $1 in there)' from=applied "$applied" from=wanted -)
	[ -z "$changed" ] || {
		peer_sections <<<"$changed" >"$runtime/addconf"
		said=$(wg addconf "$1" "$runtime/addconf" 2>&1) || problem "peers of $1 cannot be set: $said"
		rm -f "$runtime/addconf"
	}
	# After the new ones: an address that moves from one peer to another is never without one.
	drop_peers "$1" "$actual"
	[ -n "${said:-}" ] || printf '%s\n' ${wanted[@]+"${wanted[@]}"} | put "$applied"
}

peer_sections() {
	awk '{
		printf "[Peer]\nPublicKey = %s\n", $1
		if ($2 != "-") printf "Endpoint = %s\n", $2
		printf "PersistentKeepalive = %s\n", $3
		if ($4 != "-") printf "AllowedIPs = %s\n", $4
		if ($5 != "-") printf "PresharedKey = %s\n", $5
	}'
}

# drop_peers DEVICE ACTUAL: those that are not wanted.
drop_peers() {
	local key line keep=' '
	local -a gone=()
	for line in ${wanted[@]+"${wanted[@]}"}; do keep="$keep${line%% *} "; done
	while read -r key; do
		case $keep in *" $key "*) continue ;; esac
		[ -z "$key" ] || gone+=(peer "$key" remove)
	done <<<"$2"
	[ ${#gone[@]} -eq 0 ] || wg set "$1" "${gone[@]}" || problem "peers of $1 cannot be removed"
}
