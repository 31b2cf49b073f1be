# shellcheck shell=dash
# Free text travels as base64; all else is of an alphabet that JSON needs no escapes for.

b64() { printf '%s' "$1" | base64 | tr -d '\n'; }

unb64() { printf '%s' "$1" | base64 -d 2>/dev/null; }

# A JSON string or null of a word of [A-Za-z0-9/._+?=:@-].
word_or_null() {
	if [ -n "$1" ]; then printf '"%s"' "$1"; else printf null; fi
}

# Words to a JSON array of strings. Unit names may hold backslashes (systemd.unit(5)) and nothing else to escape.
json_list() {
	local separator='' item
	printf '['
	for item; do
		case $item in
		*[!A-Za-z0-9/._+?=:@\\-]*) continue ;;
		*\\*) item=$(printf '%s' "$item" | sed 's/\\/\\\\/g') ;;
		esac
		printf '%s"%s"' "$separator" "$item"
		separator=,
	done
	printf ']'
}
