# shellcheck shell=dash
# Parts are kept once, by hash, in parts/<part>/<hash>; a release is a directory of links to them:
#   bundle, data, secrets.d -> ../../parts/…    secrets -> /run/firn/secrets/<hash>    system -> /nix/store/…
#   parts (the three hashes, one line)    formats (of data and secrets)    manifest.json    confirmed-at

# part_of RELEASE PART: the hash, nothing for release 0.
part_of() {
	local system='' data='' secrets=''
	[ -r "$state/releases/$1/parts" ] || return 0
	IFS=' ' read -r system data secrets <"$state/releases/$1/parts" || :
	case $2 in
	system) printf %s "$system" ;;
	data) printf %s "$data" ;;
	secrets) printf %s "$secrets" ;;
	esac
}

# link_id LINK: the release that `current` or `confirmed` names, in `id`; empty for release 0.
link_id() {
	id=
	[ -L "$state/$1" ] || return 0
	id=$(readlink "$state/$1")
	id=${id##*/}
}

# system_of RELEASE: its built system, nothing if it is not there (any more). `-` or nothing is release 0.
system_of() {
	if [ -n "$1" ] && [ "$1" != - ]; then
		[ -e "$state/releases/$1/system/" ] && readlink "$state/releases/$1/system"
	else
		read_release0
		printf %s "$z_running"
	fi
}

# The hash of a directory as controllers/lib/nix/tree.ts has it. Names were checked by safe_tree.
hash_tree() {
	(cd "$1" && find . -type f | sed 's|^\./||' | sort | xargs -r sha256sum | sha256sum | cut -c1-64)
}

# Only directories and files, of names that a shell, find and sort read as we mean them.
safe_tree() {
	! find "$1" ! -type f ! -type d | grep -q . && ! (cd "$1" && find . ! -name .) | grep -q '[^A-Za-z0-9._+/-]'
}

# part_stored PART HASH. Secrets that could not be decrypted are there, and yet must be sent again.
part_stored() {
	[ -d "$state/parts/$1/$2" ] && [ ! -e "$state/parts/$1/$2/lost" ]
}
