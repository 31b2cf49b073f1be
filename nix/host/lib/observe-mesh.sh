# shellcheck shell=dash
# What the mesh's unit (nix/modules) made and says, and what WireGuard itself says of its devices. Public keys only: the
# dump of wg(8) has private and preshared ones as well, which go no further than the pipe.

observe_mesh() {
	local keys problem=''
	keys=$(mesh_keys)
	if [ -z "$keys" ] && [ ! -r "$runtime/mesh/state" ]; then
		printf ',"wireguard":null'
		return 0
	fi
	printf ',"wireguard":{"keys":[%s],"devices":[' "$keys"
	if [ -r "$runtime/mesh/state" ]; then
		mesh_devices
		problem=$(mesh_problem)
	fi
	printf '],"problemB64":"%s"}' "$problem"
}

mesh_keys() {
	local file epoch separator='' count=0
	for file in "$state"/wireguard/*.pub; do
		epoch=${file##*/} epoch=${epoch%.pub}
		case $epoch in [!1-9]* | *[!0-9]* | ??????????*) continue ;; esac
		first_line "$file"
		case $line in *[!A-Za-z0-9+/=]* | *=?*) continue ;; *[AEIMQUYcgkosw048]=) ;; *) continue ;; esac
		[ ${#line} -eq 44 ] && [ $count -lt 8 ] || continue
		printf '%s{"epoch":%s,"publicKey":"%s"}' "$separator" "$epoch" "$line"
		separator=, count=$((count + 1))
	done
}

# Lines of the unit's state: `device EPOCH DEVICE ACTIVE` and `problem TEXT`. All devices by one wg and one awk.
mesh_devices() {
	wg show all dump 2>/dev/null | awk '
		function number(text) { return text !~ /^[0-9]+$/ ? 0 : length(text) > 15 ? "999999999999999" : text + 0 == 0 ? 0 : text }
		function done() { if (shown) printf "]}" }
		from == "state" {
			if ($1 == "device" && $2 ~ /^[1-9][0-9]*$/ && length($2) < 10 && $3 ~ /^[A-Za-z0-9_.-]+$/ && length($3) < 16) {
				epoch[$3] = $2
				active[$3] = $4 == 1 ? "true" : "false"
			}
			next
		}
		NF == 5 {
			done()
			shown = ($1 in epoch) && devices < 8
			if (!shown) next
			mtu = 0
			file = "/sys/class/net/" $1 "/mtu"
			if ((getline mtu <file) > 0) close(file)
			printf "%s{\"epoch\":%s,\"device\":\"%s\",\"listenPort\":%s,\"mtu\":%s,\"active\":%s,\"peers\":[",
				devices++ ? "," : "", epoch[$1], $1, number($4), number(mtu), active[$1]
			peers = 0
			next
		}
		shown && NF == 9 && peers < 2000 {
			printf "%s[\"%s\",%s,%s,%s]", peers++ ? "," : "", $2, number($6), number($7), number($8)
		}
		END { done() }' from=state "$runtime/mesh/state" from=wg -
}

mesh_problem() {
	local word text problems=''
	while read -r word text; do
		[ "$word" != problem ] || problems="$problems${problems:+; }$text"
	done <"$runtime/mesh/state"
	[ -z "$problems" ] || clipped_b64 "$problems"
}
