# shellcheck shell=dash
# Laying down a release. The payload is unpacked on tmpfs, since it may hold secrets; what is kept is renamed into place
# only when it is whole and flushed, so a call that dies leaves nothing but a temporary directory.

# Of manifest.json, in bytes.
manifest_limit=524288

stage() {
	read_request hex:installation int:fence hex:id hex:system hex:data hex:secrets int:dataFormat int:secretsFormat \
		text:manifest hex:payloadSha256 int:payloadBytes
	need_length id "$r_id" 12
	local hash
	for hash in "$r_system" "$r_data" "$r_secrets" "$r_payloadSha256"; do need_length hash "$hash" 64; done
	[ ${#r_manifest} -le $((4 * manifest_limit / 3 + 4)) ] || refuse InvalidRequest "the manifest is larger than $manifest_limit bytes"
	admit
	unlock
	require_space "$state" $((8192 + r_payloadBytes / 256)) 200
	exec 8>"$runtime/stage-lock" && flock -w 60 8 || refuse Busy "another release is being staged"
	rm -rf "$runtime"/payload.*
	payload=$runtime/payload.$$
	trap 'rm -rf "$payload" "$payload.tar"' EXIT
	trap 'exit 1' HUP INT TERM
	receive_payload
	keep_tree bundle system "$r_system"
	keep_tree data data "$r_data"
	keep_secrets "$r_secrets"
	point stage-before-release
	lock
	settle_boot
	read_owner
	[ "$o_installation" = "$r_installation" ] && [ "$r_fence" -ge "$o_fence" ] || refuse Fenced "a newer operator was here"
	lay_release
	accept
}

receive_payload() {
	local sum
	mkdir "$payload" || refuse Failed "/run/firn is not writable"
	: >"$payload.tar"
	printf 'FIRN-SEND\n' >&4
	[ "$r_payloadBytes" -eq 0 ] || head -c "$r_payloadBytes" <&5 >"$payload.tar" || refuse DiskFull "/run is full"
	sum=$(sha256sum <"$payload.tar")
	[ "${sum%% *}" = "$r_payloadSha256" ] || refuse PayloadCorrupt "the payload's SHA-256 is not what was announced"
	[ "$r_payloadBytes" -eq 0 ] || tar -xf "$payload.tar" -C "$payload" --no-same-owner --no-same-permissions ||
		refuse PayloadCorrupt "the payload cannot be unpacked"
	rm -f "$payload.tar"
	safe_tree "$payload" || refuse PayloadCorrupt "the payload has a name or a kind of file that it must not have"
}

empty_tree=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# keep_tree DIRECTORY PART HASH
keep_tree() {
	part_stored "$2" "$3" && return 0
	[ "$3" != "$empty_tree" ] || mkdir -p "$payload/$1"
	[ -d "$payload/$1" ] || refuse PartMissing "the part $2 $3 is neither stored nor sent"
	[ "$(hash_tree "$payload/$1")" = "$3" ] || refuse PayloadCorrupt "the part $2 is not what its hash says"
	keep_directory "$payload/$1" "$state/parts/$2/$3" 755
}

# keep_directory FROM TO MODE: copies across file systems, flushes, renames.
keep_directory() {
	mkdir -p "${2%/*}" && chmod 755 "$state/parts" "${2%/*}" && rm -rf "$2.new" && cp -R "$1" "$2.new" ||
		{
			rm -rf "$2.new"
			refuse DiskFull "the release does not fit on the disk of $state"
		}
	chmod -R u=rwX,go=rX "$2.new"
	chmod "$3" "$2.new"
	sync_tree "$2.new"
	[ ! -e "$2" ] || rm -rf "$2"
	mv -T "$2.new" "$2" && flush "${2%/*}" || refuse Failed "$2 cannot be put into place"
}

sync_tree() {
	find "$1" -print0 | xargs -0 sync 2>/dev/null || sync
}

lay_release() {
	local dir=$state/releases/$r_id
	if [ -d "$dir" ]; then
		[ "$(cat "$dir/parts")" = "$r_system $r_data $r_secrets" ] || refuse InvalidRequest "release $r_id has other parts already"
		return 0
	fi
	mkdir -p "$state/releases" && chmod 755 "$state/releases"
	rm -rf "$dir.new"
	if ! {
		mkdir "$dir.new" && chmod 755 "$dir.new" &&
			ln -s "../../parts/system/$r_system" "$dir.new/bundle" &&
			ln -s "../../parts/data/$r_data" "$dir.new/data" &&
			ln -s "../../parts/secrets/$r_secrets" "$dir.new/secrets.d" &&
			ln -s "$runtime/secrets/$r_secrets" "$dir.new/secrets" &&
			printf '%s\n' "$r_system $r_data $r_secrets" >"$dir.new/parts" &&
			printf '%s\n' "$r_dataFormat $r_secretsFormat" >"$dir.new/formats" &&
			unb64 "$r_manifest" >"$dir.new/manifest.json" &&
			sync_tree "$dir.new" && mv -T "$dir.new" "$dir" && flush "$state/releases"
	}; then
		rm -rf "$dir.new"
		refuse DiskFull "the release cannot be laid down: is /var full?"
	fi
}
