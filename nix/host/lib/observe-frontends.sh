# shellcheck shell=dash
# What HAProxy says of the frontends that it serves (nix/modules/kubernetes/frontends.nix): how many pods each knows, and
# how many of them answer. Null where there are none to be.

frontends_socket=/run/firn-frontends/stats.sock

observe_frontends() {
	if [ ! -S "$frontends_socket" ]; then
		printf ',"frontends":null'
		return 0
	fi
	printf ',"frontends":['
	# Servers alone; a slot in maintenance has no pod. Bounds as in controllers/lib/host/observed.ts.
	printf 'show stat -1 4 -1\n' | timeout 5 socat -t 5 - "UNIX-CONNECT:$frontends_socket" 2>/dev/null | awk -F, '
		$1 !~ /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ || length($1) > 63 { next }
		!($1 in servers) { if (count == 256) next; names[++count] = $1; servers[$1] = up[$1] = 0 }
		$18 !~ /^MAINT/ { servers[$1]++ }
		$18 ~ /^(UP|no check)/ { up[$1]++ }
		END {
			for (i = 1; i <= count; i++)
				printf "%s{\"name\":\"%s\",\"servers\":%d,\"up\":%d}", (i > 1 ? "," : ""), names[i], servers[names[i]], up[names[i]]
		}'
	printf ']'
}
