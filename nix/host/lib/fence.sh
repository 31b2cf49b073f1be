# shellcheck shell=dash
# Who may change this host: one installation of the operator, with a token that only grows.
# The file `owner` has the lines installation, fence, owner (base64), uid.

read_owner() {
	o_installation='' o_fence='' o_owner='' o_uid=''
	[ -r "$state/owner" ] || return 0
	{
		IFS= read -r o_installation
		IFS= read -r o_fence
		IFS= read -r o_owner
		IFS= read -r o_uid
	} <"$state/owner"
}

write_owner() {
	printf '%s\n' "$1" "$2" "$3" "$4" | put "$state/owner" || refuse DiskFull "the owner cannot be written down: is /var full?"
}

# Takes the lock, brings state up to date with this boot, and lets only the owner's newest operator pass.
admit() {
	lock
	settle_boot
	read_owner
	[ -n "$o_installation" ] || refuse NotClaimed "nobody has claimed this host yet"
	[ "$o_installation" = "$r_installation" ] || refuse OwnedByOther "this host belongs to $(owner_words)"
	[ "$r_fence" -ge "$o_fence" ] || refuse Fenced "a newer operator (fence $o_fence) was here; this one has $r_fence"
	[ "$r_fence" -eq "$o_fence" ] || write_owner "$o_installation" "$r_fence" "$o_owner" "$o_uid"
	settle
}

owner_words() {
	printf '%s of the installation %s' "$(unb64 "$o_owner")" "$o_installation"
}

claim() {
	read_request hex:installation int:fence text:owner text:uid int:adopt
	need_length installation "$r_installation" 32
	read_text uid
	case $text_uid in '' | *[!A-Za-z0-9-]*) refuse InvalidRequest "uid is not a UID" ;; esac
	require_host
	lock
	settle_boot
	read_owner
	if [ -n "$o_installation" ] && [ "$r_adopt" -ne 1 ]; then
		[ "$o_installation" = "$r_installation" ] && [ "$o_owner" = "$r_owner" ] ||
			refuse OwnedByOther "this host belongs to $(owner_words)"
	fi
	if [ "$o_installation" = "$r_installation" ] && [ "$r_fence" -lt "$o_fence" ]; then
		refuse Fenced "a newer operator (fence $o_fence) was here; this one has $r_fence"
	fi
	# What a reset left that was killed at its very end.
	rm -rf "$state.removed"
	record_release0
	keep_reserve
	[ -e "$state/host" ] || flip "$state/host" "bin/$(program_hash)" || refuse DiskFull "the program cannot be linked: is /var full?"
	point claim-before-owner
	[ "$o_installation $o_fence $o_owner $o_uid" = "$r_installation $r_fence $r_owner $text_uid" ] ||
		write_owner "$r_installation" "$r_fence" "$r_owner" "$text_uid"
	settle
	accept
}

disown_host() {
	read_request hex:installation int:fence
	admit
	trial_in_progress && refuse Busy "release $t_id is on trial"
	rm -f "$state/owner" && flush "$state" || refuse Failed "the owner cannot be removed"
	accept
}
