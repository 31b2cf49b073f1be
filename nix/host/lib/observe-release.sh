# shellcheck shell=dash
# What the operator needs back of the release that is current: what it wrote down about it, and the certificates that
# the host has. Bounds as in controllers/lib/host/observed.ts; what is beyond them is left out.

observe_release() {
	local file
	link_id current
	file=$state/releases/$id/manifest.json
	printf ',"manifestB64":"'
	if [ -n "$id" ] && [ -s "$file" ] && [ "$(wc -c <"$file")" -le "$manifest_limit" ]; then
		base64 <"$file" | tr -d '\n'
	fi
	printf '","certificates":['
	file=$runtime/secrets/$(part_of "$id" secrets)
	[ -z "$id" ] || [ ! -s "$file/index" ] || certificates_in "$file"
	printf ']'
}

# certificates_in DIRECTORY: the first certificate of every file that begins with one, by one process for all of them.
# Such a file's first line is read whole, and nothing more of what begins otherwise.
certificates_in() {
	awk -v dir="$1" '
		function certificate(file, line, body, whole) {
			if ((getline line <file) > 0 && line ~ /^-----BEGIN CERTIFICATE-----\r?$/)
				while (length(body) <= 8192 && (getline line <file) > 0) {
					sub(/\r$/, "", line)
					if (line == "-----END CERTIFICATE-----") { whole = 1; break }
					body = body line
				}
			close(file)
			return whole && length(body) <= 8192 && length(body) % 4 == 0 && body ~ /^[A-Za-z0-9+\/]+=?=?$/ ? body : ""
		}
		count < 64 && $5 ~ /^[A-Za-z0-9+\/]+=?=?$/ {
			body = certificate(dir "/" $1)
			if (body != "") printf "%s{\"pathB64\":\"%s\",\"certificate\":\"%s\"}", count++ ? "," : "", $5, body
		}' "$1/index"
}
