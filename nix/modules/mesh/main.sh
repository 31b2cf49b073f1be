# shellcheck shell=bash

# take_plan LINES: what one word each says, in variables of the caller.
take_plan() {
	local word first rest
	while IFS=$'\t' read -r word first rest; do
		case $word in
		mtu) given_mtu=$first ;;
		address) addresses="$addresses $first" ;;
		network) networks="$networks $first" ;;
		epoch) epochs+=("$first $rest") ;;
		esac
	done <<<"$1"
}

apply() {
	local lines given_mtu=- addresses='' networks='' mtu mtu_how
	local -a epochs=()
	[ -e "$FIRN_MESH_PEERS" ] || {
		say "there is no $FIRN_MESH_PEERS yet: nothing to do"
		return 0
	}
	if ! lines=$(plan 2>&1); then
		say "$FIRN_MESH_PEERS is not what it should be, nothing was changed: ${lines:0:300}"
		return 1
	fi
	take_plan "$lines"
	read_preshared
	apply_epochs "$lines" || return 1
}

# The devices first, all of them; then routes into the active one; last what is not listed any more.
apply_epochs() {
	local entry epoch device port active made='' state='' smallest_epoch='' leads_to=''
	for entry in ${epochs[@]+"${epochs[@]}"}; do
		IFS=$'\t ' read -r epoch device port active <<<"$entry"
		smallest_epoch=${smallest_epoch:-$epoch}
		ensure_key "$epoch" || {
			say "the key of epoch $epoch cannot be made in $keys"
			return 1
		}
		ensure_device "$epoch" "$device" "$port" || continue
		sync_peers "$device" "$1"
		made="$made $device"
		state="${state}device $epoch $device $active"$'\n'
		[ "$active" = 0 ] || leads_to=$device
	done
	choose_mtu "$given_mtu"
	set_mtu "$made" "$mtu"
	sync_addresses "$made" "$addresses"
	# A device without its port is down, and has been said to be.
	[ -z "$leads_to" ] || ! is_up "$leads_to" || sync_routes "$leads_to" "$addresses" "$networks"
	for device in $FIRN_MESH_DEVICES; do
		case "$made " in *" $device "*) continue ;; esac
		listed "$device" || ! exists "$device" || remove_device "$device"
	done
	[ -z "$smallest_epoch" ] || forget_keys "$smallest_epoch"
	write_state
	[ -n "$made" ] || [ ${#epochs[@]} -eq 0 ]
}

listed() {
	local entry
	for entry in ${epochs[@]+"${epochs[@]}"}; do
		case $entry in *[[:space:]]"$1"[[:space:]]*) return 0 ;; esac
	done
	return 1
}

write_state() {
	{
		printf '%smtu %s %s\n' "$state" "$mtu" "$mtu_how"
		[ ${#problems[@]} -eq 0 ] || printf 'problem %s\n' "${problems[@]}"
	} | put "$runtime/state"
}

down() {
	local device
	for device in $FIRN_MESH_DEVICES; do remove_device "$device"; done
	rm -f "$runtime"/{state,addresses,routes,mtu,probed}
}

# watch: everything again, which changes only what differs; then the packets' size, without holding anybody up.
watch() {
	[ -r "$runtime/state" ] || return 0
	apply
	flock -u 9
	[ -z "$(jq -r '.mtu // empty' <"$FIRN_MESH_PEERS")" ] || return 0
	local before after
	before=$(cat "$runtime/mtu" 2>/dev/null)
	probe
	after=$(cat "$runtime/mtu" 2>/dev/null)
	[ "$before" != "$after" ] || return 0
	flock -w 60 9 && problems=() && apply
}

prepare_runtime || {
	say "another firn-mesh is at work, or $runtime cannot be made"
	# The watch comes again; its failure would be taken for that of a release.
	[ "${1:-}" != watch ] || exit 0
	exit 1
}
case ${1:-} in
apply)
	apply || exit 1
	systemctl --no-block start firn-mesh-watch.service
	;;
down) down ;;
watch) watch || true ;;
*)
	say "usage: firn-mesh apply|down|watch"
	exit 2
	;;
esac
