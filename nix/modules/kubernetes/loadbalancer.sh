# shellcheck shell=bash
# Writes the balancer's configuration from the file of API servers, if HAProxy takes it: firn-api-balancer render
set -euo pipefail

# Lines of API servers that look like such, each once. They come from outside, and become part of a configuration.
servers() {
	if [ -r "$FIRN_API_SERVERS" ]; then
		cat -- "$FIRN_API_SERVERS"
	elif [ -n "$FIRN_OWN_API_SERVER" ]; then
		printf '%s\n' "$FIRN_OWN_API_SERVER"
	fi | awk '
		/^([0-9]+[.][0-9]+[.][0-9]+[.][0-9]+|\[[0-9a-fA-F:.]+\]):[0-9]+$/ && !seen[$0]++ && count++ < 64'
}

configuration() {
	local server number=0
	cat <<-END
		global
		  # What the old worker still has after a reload, such as a watch, is told to come again.
		  hard-stop-after 60s
		  log stdout format raw local0 notice
		  maxconn 4096
		defaults
		  mode tcp
		  log global
		  option dontlognull
		  timeout connect 3s
		  # Longer than any watch is silent: clients and servers ask each other every 30 s whether they are there.
		  timeout client 10m
		  timeout server 10m
		  option clitcpka
		  option srvtcpka
		  # One that does not answer is passed over at once.
		  retries 2
		  option redispatch 1
		frontend api
		  bind 127.0.0.1:$FIRN_PORT
	END
	[ "$FIRN_IPV6" != true ] || printf '  bind [::1]:%s\n' "$FIRN_PORT"
	cat <<-END
		  default_backend servers
		backend servers
		  balance leastconn
		  option httpchk
		  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes
		  http-check expect status 200
		  # Nobody stays with one that is not ready: a connection that hangs is worse than one that is cut.
		  default-server check check-ssl verify required ca-file $FIRN_AUTHORITY inter 2s fastinter 500ms downinter 1s fall 2 rise 1 on-marked-down shutdown-sessions
	END
	servers | while read -r server; do
		number=$((number + 1))
		printf '  server api%d %s\n' "$number" "$server"
	done
}

case ${1:-} in
render)
	umask 077
	configuration >"$RUNTIME_DIRECTORY/haproxy.cfg.new"
	"$FIRN_HAPROXY" -c -q -f "$RUNTIME_DIRECTORY/haproxy.cfg.new"
	mv -T "$RUNTIME_DIRECTORY/haproxy.cfg.new" "$RUNTIME_DIRECTORY/haproxy.cfg"
	;;
*)
	echo "usage: firn-api-balancer render" >&2
	exit 2
	;;
esac
