# shellcheck shell=dash
# The secrets part: on disk each file is encrypted with the host's key (systemd-creds), in the clear only on tmpfs.
# Sent as `index` and files 0, 1, …; kept under the SHA-256 of the destination path, so that a name means the same file
# in every release and a flip of `current` never shows one file's content under another's path.
# A line of our index: NAME MODE OWNER GROUP BASE64-OF-PATH RESTART RELOAD, units comma separated or `-`.

# systemd refuses a credential above 1 MiB (CREDENTIAL_SIZE_MAX); encryption adds less than 4 KiB.
secret_limit=1044480

keep_secrets() {
	local from=$payload/secrets plain=$payload/plain sealed=$payload/sealed
	if part_stored secrets "$1"; then return 0; fi
	[ -r "$from/index" ] || refuse PartMissing "the part secrets $1 is neither stored nor sent"
	mkdir "$plain" "$sealed" && : >"$plain/index"
	local number mode owner group path restart reload rest name
	while read -r number mode owner group path restart reload rest; do
		check_secret "$from" "$number" "$mode" "$owner" "$group" "$path" "$restart" "$reload" "$rest"
		name=$(unb64 "$path" | sha256sum | cut -c1-32)
		mv "$from/$number" "$plain/$name" || refuse PayloadCorrupt "file $number of the secrets is missing or named twice"
		systemd-creds encrypt --with-key=host --name="firn-$name" - "$sealed/$name" <"$plain/$name" >/dev/null ||
			refuse Failed "systemd-creds could not encrypt a file with the host's key (/var/lib/systemd/credential.secret)"
		chmod 400 "$plain/$name"
		printf '%s\n' "$name $mode $owner $group $path $restart $reload" >>"$plain/index"
	done <"$from/index"
	[ -z "$(cut -d' ' -f1 "$plain/index" | sort | uniq -d)" ] || refuse InvalidRequest "two files have the same path"
	cp "$plain/index" "$sealed/index"
	keep_directory "$sealed" "$state/parts/secrets/$1" 700
	place_plain "$plain" "$1"
}

check_secret() {
	case $2 in '' | *[!0-9]*) refuse PayloadCorrupt "the secrets' index is not of the form it must have" ;; esac
	[ -z "$9" ] && [ -n "$8" ] || refuse PayloadCorrupt "the secrets' index is not of the form it must have"
	case $3 in [0-7][0-7][0-7] | 0[0-7][0-7][0-7]) ;; *) refuse InvalidRequest "$3 is not the mode of a file" ;; esac
	case $4$5 in *[!A-Za-z0-9._-]*) refuse InvalidRequest "the owner of a file has a character that no user has" ;; esac
	case $7$8 in *[!A-Za-z0-9:_.@,\\-]*) refuse InvalidRequest "a file names a unit that cannot exist" ;; esac
	local path
	path=$(unb64 "$6") || refuse PayloadCorrupt "the secrets' index is not of the form it must have"
	case $path/ in
	//* | */../* | */./* | *//* | *[[:cntrl:]]* | [!/]*) refuse InvalidRequest "a file's path is not absolute and plain" ;;
	/nix/* | /proc/* | /sys/* | /dev/* | /run/firn/* | /var/lib/firn/*) refuse InvalidRequest "no file may be put at $path" ;;
	esac
	[ -f "$1/$2" ] && [ "$(wc -c <"$1/$2")" -le $secret_limit ] ||
		refuse InvalidRequest "the file for $path is missing or larger than $secret_limit bytes"
}

# place_plain DIRECTORY HASH: from where it was made (on the same tmpfs) to where releases look for it.
place_plain() {
	mkdir -p "$runtime/secrets" && chmod 711 "$runtime" "$runtime/secrets" 2>/dev/null
	chmod 755 "$runtime"
	[ ! -d "$runtime/secrets/$2" ] || return 0
	chmod 711 "$1" && chmod 600 "$1/index" && mv -T "$1" "$runtime/secrets/$2"
}

# open_secrets HASH: makes sure that the part is on tmpfs in the clear. Fails where the host's key no longer opens it.
open_secrets() {
	local sealed=$state/parts/secrets/$1 plain=$runtime/secrets/.$1.$$ name rest
	[ ! -d "$runtime/secrets/$1" ] || return 0
	[ -r "$sealed/index" ] || return 1
	mkdir -p "$runtime/secrets" && rm -rf "$plain" && mkdir "$plain" && cp "$sealed/index" "$plain/index" || return 1
	while read -r name rest; do
		systemd-creds decrypt --name="firn-$name" "$sealed/$name" "$plain/$name" && chmod 400 "$plain/$name" || {
			rm -rf "$plain"
			return 1
		}
	done <"$sealed/index"
	place_plain "$plain" "$1"
}
