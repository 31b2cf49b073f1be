# shellcheck shell=dash
# The request on file descriptor 3: lines of `name value`, hex and integers as they are, text as base64.
# Every value is checked for its alphabet here and is safe to use as a word from then on; text stays encoded.

# read_request TYPE:NAME…: sets r_NAME for each; a field that is missing or looks otherwise is refused.
read_request() {
	local field name value
	for field; do
		eval "r_${field#*:}="
	done
	while IFS=' ' read -r name value; do
		[ -n "$name" ] || continue
		for field; do
			if [ "${field#*:}" = "$name" ]; then
				check_field "${field%%:*}" "$name" "$value"
				eval "r_$name=\$value"
			fi
		done
	done <&3
	for field; do
		eval "value=\$r_${field#*:}"
		# Text may be empty, numbers and hashes may not.
		[ -n "$value" ] || [ "${field%%:*}" = text ] || refuse InvalidRequest "the request lacks ${field#*:}"
	done
	exec 3<&-
}

check_field() {
	case $1 in
	hex) case $3 in '' | *[!0-9a-f]*) refuse InvalidRequest "$2 is not hexadecimal" ;; esac ;;
	int) case $3 in '' | *[!0-9]* | ????????????????*) refuse InvalidRequest "$2 is not a whole number" ;; esac ;;
	text) case $3 in *[!A-Za-z0-9+/=]*) refuse InvalidRequest "$2 is not base64" ;; esac ;;
	esac
}

# need_length NAME VALUE LENGTH
need_length() {
	[ "${#2}" -eq "$3" ] || refuse InvalidRequest "$1 has not $3 digits"
}

# read_text NAME: decodes r_NAME into text_NAME.
read_text() {
	local value
	eval "value=\$r_$1"
	value=$(unb64 "$value") || refuse InvalidRequest "$1 is not base64"
	eval "text_$1=\$value"
}
