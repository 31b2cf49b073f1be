# shellcheck shell=dash
# The secrets part: on disk each file is encrypted with the host's key (systemd-creds), in the clear only on tmpfs.
# Sent as `index` and files 0, 1, …, or as `=HASH`: a file that only the host has, kept from another part. Kept under the
# SHA-256 of the destination path, so that a name means the same file in every release and a flip of `current` never shows
# one file's content under another's path.
# A line of our index: NAME MODE OWNER GROUP BASE64-OF-PATH RESTART RELOAD, units comma separated or `-`.

# systemd refuses a credential above 1 MiB (CREDENTIAL_SIZE_MAX); encryption adds less than 4 KiB.
secret_limit=1044480

keep_secrets() {
	local from=$payload/secrets plain=$payload/plain sealed=$payload/sealed
	if part_stored secrets "$1"; then return 0; fi
	[ -r "$from/index" ] || refuse PartMissing "the part secrets $1 is neither stored nor sent"
	mkdir "$plain" "$sealed" && : >"$plain/index"
	local source mode owner group path restart reload rest name
	while read -r source mode owner group path restart reload rest; do
		check_secret "$source" "$mode" "$owner" "$group" "$path" "$restart" "$reload" "$rest"
		name=$(unb64 "$path" | sha256sum | cut -c1-32)
		case $source in
		=*) take_stored "${source#=}" "$name" ;;
		*) take_sent "$source" "$name" ;;
		esac
		chmod 400 "$plain/$name"
		printf '%s\n' "$name $mode $owner $group $path $restart $reload" >>"$plain/index"
	done <"$from/index"
	[ -z "$(cut -d' ' -f1 "$plain/index" | sort | uniq -d)" ] || refuse InvalidRequest "two files have the same path"
	cp "$plain/index" "$sealed/index"
	# What is named by a purpose may have had another content, and a removal that was killed leaves it.
	rm -rf "$runtime/secrets/$1"
	keep_directory "$sealed" "$state/parts/secrets/$1" 700
	point stage-sealed
	place_plain "$plain" "$1"
}

# take_sent NUMBER NAME
take_sent() {
	[ -f "$from/$1" ] && [ "$(wc -c <"$from/$1")" -le $secret_limit ] ||
		refuse InvalidRequest "file $1 of the secrets is missing, named twice, or larger than $secret_limit bytes"
	mv "$from/$1" "$plain/$2" || refuse Failed "/run/firn is not writable"
	systemd-creds encrypt --with-key=host --name="firn-$2" - "$sealed/$2" <"$plain/$2" >/dev/null ||
		refuse Failed "systemd-creds could not encrypt a file with the host's key (/var/lib/systemd/credential.secret)"
}

# take_stored HASH NAME: the sealed file as it is, since what it is bound to is its name, and what that opens to: so a
# file that this host can no longer open, or that its owner changed on tmpfs, goes no further.
take_stored() {
	local file=$state/parts/secrets/$1/$2
	part_stored secrets "$1" && [ -f "$file" ] || refuse PartMissing "a file is to be kept from the secrets $1, which do not have it"
	cp "$file" "$sealed/$2" || refuse DiskFull "/run is full"
	systemd-creds decrypt --name="firn-$2" "$sealed/$2" "$plain/$2" ||
		refuse PartMissing "a file of the secrets $1 cannot be decrypted with the host's key"
	point stage-kept
}

# The number of a file that was sent, or `=` and the hash of a part.
is_source() {
	case $1 in
	=*) [ ${#1} -eq 65 ] && case ${1#=} in *[!0-9a-f]*) return 1 ;; esac ;;
	'' | *[!0-9]*) return 1 ;;
	esac
}

# check_secret SOURCE MODE OWNER GROUP BASE64-OF-PATH RESTART RELOAD REST
check_secret() {
	is_source "$1" && [ -z "$8" ] && [ -n "$7" ] || refuse PayloadCorrupt "the secrets' index is not of the form it must have"
	case $2 in [0-7][0-7][0-7] | 0[0-7][0-7][0-7]) ;; *) refuse InvalidRequest "$2 is not the mode of a file" ;; esac
	case $3$4 in *[!A-Za-z0-9._-]*) refuse InvalidRequest "the owner of a file has a character that no user has" ;; esac
	case $6$7 in *[!A-Za-z0-9:_.@,\\-]*) refuse InvalidRequest "a file names a unit that cannot exist" ;; esac
	local path
	path=$(unb64 "$5") || refuse PayloadCorrupt "the secrets' index is not of the form it must have"
	case $path/ in
	//* | */../* | */./* | *//* | *[[:cntrl:]]* | [!/]*) refuse InvalidRequest "a file's path is not absolute and plain" ;;
	/nix/* | /proc/* | /sys/* | /dev/* | /run/firn/* | /var/lib/firn/*) refuse InvalidRequest "no file may be put at $path" ;;
	esac
}

# place_plain DIRECTORY HASH: from where it was made (on the same tmpfs) to where releases look for it.
place_plain() {
	mkdir -p "$runtime/secrets" && chmod 711 "$runtime" "$runtime/secrets" 2>/dev/null
	chmod 755 "$runtime"
	# Who stages and who activates may both have made it; one is kept.
	chmod 711 "$1" && chmod 600 "$1/index" && mv -T "$1" "$runtime/secrets/$2" 2>/dev/null || {
		rm -rf "$1"
		[ -d "$runtime/secrets/$2" ]
	}
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
