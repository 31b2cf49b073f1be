# shellcheck shell=bash
# Starts etcd: firn-etcd PROGRAM FLAG… A member without data is told which cluster it becomes part of; one with data knows
# better than any file, and a file that is not there does not keep it from starting.
set -euo pipefail

# The flags of FIRN_ETCD_CLUSTER, one a line. It comes from outside: what does not look like it should is no part of it.
joining() {
	[ -r "$FIRN_ETCD_CLUSTER" ] || {
		echo "firn-etcd: there is no $FIRN_ETCD_CLUSTER" >&2
		return 1
	}
	awk -v self="$FIRN_ETCD_NAME" '
		function wrong(text) { print "firn-etcd: " FILENAME ": " text >"/dev/stderr"; failed = 1; exit 1 }
		$1 == "state" && NF == 2 && $2 ~ /^(new|existing)$/ { state = $2; next }
		$1 == "member" && NF == 3 && $2 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*$/ && $3 ~ /^https:\/\/[][0-9A-Za-z.:-]+:[0-9]+$/ {
			members = members separator $2 "=" $3
			separator = ","
			if ($2 == self) here = 1
			next
		}
		NF > 0 { wrong("line " NR " is no line of a cluster") }
		END {
			if (failed) exit 1
			if (state == "") wrong("it does not say whether the cluster is new")
			if (!here) wrong("it does not have " self)
			print "--initial-cluster-state=" state
			print "--initial-cluster=" members
		}' "$FIRN_ETCD_CLUSTER"
}

flags=()
if [ ! -d "$STATE_DIRECTORY/member/wal" ]; then
	if [ -z "$FIRN_ETCD_CLUSTER" ]; then
		flags=("--initial-cluster=$FIRN_ETCD_NAME=unix://peer:0")
	else
		# A member that waits is no fault of this host's. It is started anew when it has waited for long.
		for ((try = 0; try < ${FIRN_ETCD_WAIT:-600}; try++)); do
			[ ! -r "$FIRN_ETCD_CLUSTER" ] || break
			[ "$try" -ne 10 ] || echo "firn-etcd: waiting for $FIRN_ETCD_CLUSTER, which says who the members are" >&2
			sleep 1
		done
		said=$(joining)
		mapfile -t flags <<<"$said"
	fi
fi
exec "$@" ${flags[@]+"${flags[@]}"}
