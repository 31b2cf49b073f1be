# shellcheck shell=bash
# A private key is made here and leaves this host never; a key that is there is never replaced.

# ensure_key EPOCH: durable before anybody is told of its public half.
ensure_key() {
	local file=$keys/$1.key
	if [ ! -d "$keys" ]; then mkdir -p "$keys" || return 1; fi
	if [ ! -s "$file" ]; then
		wg genkey >"$file.new" && sync "$file.new" && mv -T "$file.new" "$file" && sync "$keys" || return 1
	fi
	[ -s "$keys/$1.pub" ] || { wg pubkey <"$file" | put "$keys/$1.pub" && sync "$keys/$1.pub" "$keys"; }
}

# forget_keys SMALLEST: those of epochs below it; nobody will send to them any more.
forget_keys() {
	local file epoch
	for file in "$keys"/*.key "$keys"/*.pub; do
		epoch=${file##*/} epoch=${epoch%.*}
		case $epoch in '' | *[!0-9]*) continue ;; esac
		[ "$epoch" -ge "$1" ] || rm -f "$file"
	done
}
