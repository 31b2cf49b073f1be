# shellcheck shell=bash
# Writes the frontends' configuration from their file, if HAProxy takes it, and has HAProxy take it up without losing a
# connection: firn-frontends render|reload
set -euo pipefail

# What looks like lines of frontends, as sections of HAProxy. They come from outside, and become part of a configuration:
# nothing but names of DNS, addresses, numbers and the words below gets through.
#   frontend NAME TCP|HTTP BALANCE SERVERS PROXY|PLAIN NAMESPACE SERVICE PORT
#   bind NAME ADDRESS|* PORT
sections() {
	[ -r "$FIRN_FRONTENDS" ] || return 0
	awk -v domain="$FIRN_DOMAIN" -v six="$FIRN_IPV6" '
		function label(text) { return length(text) <= 63 && text ~ /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ }
		function number(text, most) { return text ~ /^[1-9][0-9]*$/ && length(text) < 7 && text + 0 <= most }
		$1 == "frontend" && NF == 9 && label($2) && !($2 in mode) && count < 256 {
			if ($3 !~ /^(TCP|HTTP)$/ || $4 !~ /^(roundrobin|leastconn|source|random)$/ || !number($5, 256)) next
			if ($6 !~ /^(PROXY|PLAIN)$/ || !label($7) || !label($8) || !label($9)) next
			names[++count] = $2
			mode[$2] = tolower($3)
			balance[$2] = $4
			servers[$2] = $5
			proxy[$2] = $6 == "PROXY" ? " send-proxy-v2 check-send-proxy" : ""
			record[$2] = "_" $9 "._tcp." $8 "." $7 ".svc." domain
			next
		}
		$1 == "bind" && NF == 4 && ($2 in mode) && number($4, 65535) {
			if ($3 == "*") {
				binds[$2] = binds[$2] "  bind 0.0.0.0:" $4 "\n"
				if (six == "true") binds[$2] = binds[$2] "  bind [::]:" $4 " v6only\n"
			} else if ($3 ~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/)
				# An address that comes later, or moves from host to host, is as good: without CAP_NET_ADMIN this is IP_FREEBIND.
				binds[$2] = binds[$2] "  bind " $3 ":" $4 " transparent\n"
			else if ($3 ~ /^[0-9a-fA-F:.]+$/ && $3 ~ /:/ && six == "true")
				binds[$2] = binds[$2] "  bind [" $3 "]:" $4 " v6only transparent\n"
		}
		END {
			for (i = 1; i <= count; i++) {
				name = names[i]
				if (binds[name] == "") continue
				printf "listen %s\n  mode %s\n%s  balance %s\n", name, mode[name], binds[name], balance[name]
				# What changes nothing is asked of another pod where one went away without an answer.
				if (mode[name] == "http")
					print "  option forwardfor\n  http-reuse safe\n  retry-on conn-failure empty-response\n  http-request disable-l7-retry unless METH_GET"
				printf "  server-template s 1-%s %s resolvers cluster init-addr last,none check inter 2s fastinter 500ms downinter 500ms fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down%s\n", \
					servers[name], record[name], proxy[name]
			}
		}' "$FIRN_FRONTENDS"
}

configuration() {
	local address number=0
	cat <<-END
		global
		  # Long connections stay with the worker that has them after a reload, for a day at most.
		  hard-stop-after 24h
		  log stdout format raw local0 notice
		  maxconn $FIRN_MAX_CONNECTIONS
		  stats socket $RUNTIME_DIRECTORY/stats.sock mode 600 level operator expose-fd listeners
		  server-state-file $RUNTIME_DIRECTORY/servers
		defaults
		  log global
		  option dontlognull
		  option clitcpka
		  option srvtcpka
		  timeout connect 3s
		  timeout http-request 30s
		  timeout http-keep-alive 60s
		  timeout client 1h
		  timeout server 1h
		  timeout queue 10s
		  timeout check 2s
		  # A pod that has just gone is passed over: names and checks need a moment to tell.
		  retries 8
		  option redispatch 1
		  # Where HAProxy is started anew, it begins with what it knew, not with nothing.
		  load-server-state-from-file global
		resolvers cluster
	END
	# Answers about many pods do not fit into a datagram.
	for address in $FIRN_RESOLVERS; do
		number=$((number + 1))
		case $address in *:*) address="[$address]" ;; esac
		printf '  nameserver node%d tcp@%s:53\n' "$number" "$address"
	done
	cat <<-END
		  accepted_payload_size 65535
		  resolve_retries 3
		  timeout resolve 1s
		  timeout retry 1s
		  hold valid 1s
		  # An answer without a pod counts at once.
		  hold obsolete 0s
		  hold nx 5s
		  # No answer says nothing about pods: health checks do.
		  hold other 1h
		  hold refused 1h
		  hold timeout 1h
		# HAProxy does not run without anything to listen on.
		frontend firn
		  mode http
		  bind unix@$RUNTIME_DIRECTORY/idle.sock mode 600
	END
	sections
}

config=$RUNTIME_DIRECTORY/haproxy.cfg

check() {
	configuration >"$config.new"
	"$FIRN_HAPROXY" -c -q -f "$config.new"
}

# What is to be listened on and is somebody else's, a line each. HAProxy finds out by itself, but has its workers leave all of
# their ports for a second while it tries, and whoever connects then is refused.
taken() {
	ss -Hltn | awk '
		function port(text) { sub(/.*:/, "", text); return text }
		function isWildcard(text) { return text ~ /^(0[.]0[.]0[.]0|\[::\]|[*]):/ }
		FILENAME != "-" {
			if ($1 == "bind" && $2 !~ /^unix@/) { if (FILENAME == old) ours[$2] = 1; else wanted[$2] = 1 }
			next
		}
		{ sub(/%[^:]*/, "", $4); if (!($4 in ours)) theirs[$4] = 1 }
		END {
			for (bind in wanted) if (!(bind in ours)) for (other in theirs)
				if (port(bind) == port(other) && (bind == other || other ~ /^[*]/ || ((bind ~ /^\[/) == (other ~ /^\[/) && (isWildcard(bind) || isWildcard(other)))))
					print bind " is taken: somebody else listens on " other
		}' old="$config" "$config" "$config.new" -
}

# ask SOCKET COMMAND
ask() { printf '%s\n' "$2" | socat -t 15 - "UNIX-CONNECT:$RUNTIME_DIRECTORY/$1"; }

# Of lines of servers' state, those of a frontend that is for the same service as before: the pods of another are not its.
servers_still_asked_for() {
	awk 'NR == FNR {
			if ($1 == "listen") name = $2
			if ($1 == "server-template") record[name] = $4
			next
		}
		NF < 20 || $1 == "#" || record[$2] == $20' "$config.new" -
}

# keep_on SENTENCE: what there is serves on.
keep_on() {
	printf 'HAProxy goes on with the frontends that it had: %s\n' "$1" >&2
	exit 1
}

reload() {
	local said
	said=$(taken)
	[ -z "$said" ] || keep_on "$said"
	ask stats.sock 'show servers state' | servers_still_asked_for >"$RUNTIME_DIRECTORY/servers.new"
	mv -T "$RUNTIME_DIRECTORY/servers.new" "$RUNTIME_DIRECTORY/servers"
	mv -T "$config" "$config.old"
	mv -T "$config.new" "$config"
	# The master starts a new worker, hands over the listening sockets, and says how that went; the old one serves till then.
	said=$(ask master.sock reload)
	case $said in
	Success=1*) ;;
	*)
		mv -T "$config.old" "$config"
		keep_on "$said"
		;;
	esac
}

umask 077
case ${1:-} in
render)
	check
	mv -T "$config.new" "$config"
	;;
reload)
	check
	reload
	;;
*)
	echo "usage: firn-frontends render|reload" >&2
	exit 2
	;;
esac
