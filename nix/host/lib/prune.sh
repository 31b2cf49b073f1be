# shellcheck shell=dash
# Removing what nothing refers to. Kept: what runs, what is confirmed, what is on trial or was tried last, what was
# staged within the hour, and of every system that is still a generation that somebody may boot the newest confirmed release.

prune() {
	read_request hex:installation int:fence
	admit
	prune_unused
	accept
}

prune_unused() {
	local release dir hash part kept=' '
	for release in $(releases_in_use); do kept="$kept$release "; done
	for dir in "$state"/releases/*; do
		release=${dir##*/}
		case $kept in *" $release "*) continue ;; esac
		[ -d "$dir" ] || continue
		rm -f "$gcroots/$release-system"
		rm -rf "$dir"
	done
	for part in system data secrets; do
		kept=' '
		for dir in "$state"/releases/*; do kept="$kept$(part_of "${dir##*/}" $part) "; done
		for dir in "$state/parts/$part"/*; do
			hash=${dir##*/}
			case $kept in *" $hash "*) continue ;; esac
			[ -d "$dir" ] && [ -z "$(find "$dir" -maxdepth 0 -mmin -60)" ] || continue
			[ $part != secrets ] || rm -rf "$runtime/secrets/$hash"
			rm -rf "$dir"
		done
	done
	for dir in "$gcroots"/*-system; do
		release=${dir##*/}
		[ -d "$state/releases/${release%-system}" ] || rm -f "$dir"
	done
	prune_programs
	flush "$state"
}

releases_in_use() {
	local link dir
	for link in current confirmed; do
		link_id $link
		printf '%s\n' "$id"
	done
	read_trial
	printf '%s\n%s\n' "$t_id" "$t_from"
	read_job build && printf '%s\n' "$j_subject"
	for dir in "$state"/releases/*; do
		[ -z "$(find "$dir" -maxdepth 0 -mmin -60 2>/dev/null)" ] || printf '%s\n' "${dir##*/}"
	done
	releases_to_boot
}

# Of each system that can be booted what meaning_of_boot would find: joins and renewals leave many releases of one system.
releases_to_boot() {
	local dir system systems link
	systems=" $(for link in "$profile"-*-link; do printf '%s ' "$(resolved "$link")"; done) $(resolved /run/booted-system) "
	for dir in "$state"/releases/*; do
		[ -e "$dir/confirmed-at" ] || continue
		system=$(system_of "${dir##*/}")
		case "$systems" in *" ${system:-none} "*) ;; *) continue ;; esac
		first_line "$dir/confirmed-at"
		printf '%s %s %s\n' "$system" "${line:-0}" "${dir##*/}"
	done | sort -k1,1 -k2,2nr | awk '$1 != system { print $3 } { system = $1 }'
}

# Programs that no unit, no boot and no other operator still runs.
prune_programs() {
	local file host
	host=$(resolved "$state/host")
	for file in "$state"/bin/*; do
		[ "$file" != "$host" ] && [ "${file##*/}" != "$(program_hash)" ] && [ "${file##*/}" != "$t_program" ] || continue
		[ -n "$(find "$file" -mmin -1440 2>/dev/null)" ] || rm -f "$file"
	done
}
