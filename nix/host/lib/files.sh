# shellcheck shell=dash
# Files of the secrets part at their destinations: symbolic links to /run/firn/current/secrets/<name>, so that a flip of
# `current` changes all of them at once. Parents that are missing are made 0755. What somebody else put at a path is
# never replaced.
# Owners: a candidate's activation script makes its users before its units start, and calls `own` then (nix/modules);
# the runner calls it again after the switch, when an owner that is still missing is a failure.

# own HASH: gives every file its mode and owner; prints a sentence for each that cannot be given.
own() {
	local dir=$runtime/secrets/$1 name mode owner group path
	while read -r name mode owner group path _; do
		{ chown "$owner:$group" "$dir/$name" && chmod "$mode" "$dir/$name"; } 2>/dev/null ||
			printf 'the file %s cannot be given to %s:%s: is there such a user and group? ' "$(unb64 "$path")" "$owner" "$group"
	done <"$dir/index"
}

# deliver RELEASE: makes the links of a release, removes those that left. Prints a sentence for each that cannot be made.
deliver() {
	local hash index=/dev/null name path target wanted=' '
	hash=$(part_of "$1" secrets)
	[ -z "$hash" ] || index=$state/parts/secrets/$hash/index
	touch "$state/delivered"
	[ ! -s "$index" ] || {
		cut -d' ' -f1,5 "$index" | cat "$state/delivered" - | sort -u | put "$state/delivered" || printf 'the disk is full. '
		while read -r name _ _ _ path _; do
			wanted="$wanted$name "
			link_file "$runtime/current/secrets/$name" "$(unb64 "$path")"
		done <"$index"
	}
	while read -r name path; do
		case $wanted in *" $name "*) continue ;; esac
		target=$(unb64 "$path")
		[ "$(readlink -- "$target")" != "$runtime/current/secrets/$name" ] || rm -f -- "$target"
	done <"$state/delivered"
	# `put` reads all of its input before it writes.
	# shellcheck disable=SC2094
	[ ! -s "$state/delivered" ] || while read -r name path; do
		case $wanted in *" $name "*) printf '%s %s\n' "$name" "$path" ;; esac
	done <"$state/delivered" | put "$state/delivered"
}

link_file() {
	[ "$(readlink -- "$2")" != "$1" ] || return 0
	if [ -e "$2" ] || [ -L "$2" ]; then
		printf 'there is something at %s already that Firn did not put there; move it away. ' "$2"
		return 0
	fi
	(umask 022 && mkdir -p -- "${2%/*}/" && ln -s "$1" "$2") || printf 'the file %s cannot be made. ' "$2"
}

# changed_units OLD-RELEASE NEW-RELEASE: lines `restart UNIT` and `reload UNIT` of what must notice the difference.
changed_units() {
	changed_by_secrets "$1" "$2"
	changed_by_data "$1" "$2"
}

changed_by_secrets() {
	local old new before after
	before=$(part_of "$1" secrets)
	after=$(part_of "$2" secrets)
	# Who found no files at boot must notice the same ones now.
	[ ! -e "$runtime/secrets-lost" ] || before=
	if [ "$before" = "$after" ] || [ -z "$after" ]; then return 0; fi
	old=$runtime/secrets/$before new=$runtime/secrets/$after
	local name mode owner group path restart reload
	while read -r name mode owner group path restart reload; do
		if [ -n "$before" ] && cmp -s "$old/$name" "$new/$name" &&
			grep -q "^$name $mode $owner $group " "$old/index"; then continue; fi
		[ "$restart" = - ] || printf 'restart %s\n' "$restart" | tr , '\n' | sed 's/^restart //; s/^/restart /'
		[ "$reload" = - ] || printf 'reload %s\n' "$reload" | tr , '\n' | sed 's/^reload //; s/^/reload /'
	done <"$new/index"
}

# Which units look at which file of the data is said by the running system: lines `FILE reload|restart UNIT`.
changed_by_data() {
	local old=$state/releases/$1/data new=$state/releases/$2/data file verb unit
	[ "$(part_of "$1" data)" != "$(part_of "$2" data)" ] || return 0
	[ -r /run/current-system/etc/firn/data-units ] || return 0
	while read -r file verb unit; do
		case $verb in reload | restart) ;; *) continue ;; esac
		cmp -s "$old/$file" "$new/$file" || printf '%s %s\n' "$verb" "$unit"
	done </run/current-system/etc/firn/data-units
}

# own_candidate: what a candidate's activation script calls once its users exist.
own_candidate() {
	link_id current
	local hash
	hash=$(part_of "$id" secrets)
	[ -z "$hash" ] || [ ! -d "$runtime/secrets/$hash" ] || own "$hash" >&2
	exit 0
}
