# shellcheck shell=bash
# Starts etcd: firn-etcd PROGRAM FLAG… A member without data is told which cluster it becomes part of; one with data knows
# better than any file, and a file that is not there does not keep it from starting. etcd-identity.sh comes before this.
set -euo pipefail

# Lines of the file, by their first word: joining flags, one a line; the rest of its line. It comes from outside: what does
# not look like it should is no part of it.
said() {
	awk -v asked="$1" -v self="$FIRN_ETCD_NAME" '
		function wrong(text) { print "firn-etcd: " FILENAME ": " text >"/dev/stderr"; failed = 1; exit 1 }
		$1 == "state" && NF == 2 && $2 ~ /^(new|existing)$/ { state = $2; next }
		$1 == "start" && NF == 2 && $2 ~ /^[0-9a-z-]+$/ && length($2) <= 64 { start = $2; next }
		$1 == "replaces" && NF == 2 && $2 ~ /^[0-9a-f]+$/ && length($2) <= 16 { replaces = $2; next }
		$1 == "member" && NF == 3 && $2 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*$/ && $3 ~ /^(https:\/\/[][0-9A-Za-z.:-]+:[0-9]+|unix:\/\/peer:0)$/ {
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
			if (asked == "start") print start
			else if (asked == "replaces") print replaces
			else {
				print "--initial-cluster-state=" state
				# IDs are made of it and of addresses, which other clusters may have as well.
				if (state == "new" && start != "") print "--initial-cluster-token=" start
				print "--initial-cluster=" members
			}
		}' "$FIRN_ETCD_CLUSTER"
}

has_data() { [ -d "$FIRN_ETCD_DATA/member/wal" ]; }

# What outlives the data: by which word they were made. No word makes them twice, since a member that comes back without what
# it has voted on can undo what the cluster promised, and a first member would begin an empty one in place of the lost.
remember() {
	until has_data; do
		kill -0 $$ || return 0
		sleep 0.2
	done
	{
		[ -z "$1" ] || echo "start $1"
		echo "transport $FIRN_ETCD_TRANSPORT"
	} >"$FIRN_ETCD_MEMORY/started.new"
	sync "$FIRN_ETCD_MEMORY/started.new"
	mv "$FIRN_ETCD_MEMORY/started.new" "$FIRN_ETCD_MEMORY/started"
}

remembered() {
	local word start
	[ -r "$FIRN_ETCD_MEMORY/started" ] || return 0
	while read -r word start; do
		[ "$word" != start ] || echo "$start"
	done <"$FIRN_ETCD_MEMORY/started"
}

# Data of a member that the cluster has removed are of no use to anybody: its ID never comes back.
put_aside() {
	local replaces identity
	replaces=$(said replaces)
	identity=$(etcd_identity "$FIRN_ETCD_DATA")
	[ -n "$replaces" ] && [ "${identity% *}" = "$replaces" ] || return 0
	echo "firn-etcd: the member $replaces was removed: its data are in $FIRN_ETCD_DATA/removed from now on" >&2
	rm -rf "$FIRN_ETCD_DATA/removed"
	mv "$FIRN_ETCD_DATA/member" "$FIRN_ETCD_DATA/removed"
}

# A member that waits is no fault of this host's. It is started anew when it has waited for long.
await_start() {
	local try
	for ((try = 0; ; try++)); do
		if [ -r "$FIRN_ETCD_CLUSTER" ]; then
			start=$(said start)
			[ -n "$start" ] && [ "$start" = "$(remembered)" ] || return 0
			[ "$try" -ne 10 ] || echo "firn-etcd: the data of this member are gone, and $FIRN_ETCD_CLUSTER does not ask for others: waiting for it to change" >&2
		else
			[ "$try" -ne 10 ] || echo "firn-etcd: waiting for $FIRN_ETCD_CLUSTER, which says who the members are" >&2
		fi
		[ "$try" -lt "${FIRN_ETCD_WAIT:-600}" ] || break
		sleep 1
	done
	echo "firn-etcd: $FIRN_ETCD_CLUSTER does not say which cluster to begin or to join" >&2
	return 1
}

flags=()
start=''
if has_data && [ -n "$FIRN_ETCD_CLUSTER" ] && [ -r "$FIRN_ETCD_CLUSTER" ]; then
	put_aside || :
	# It may have been killed between its first data and their being remembered. Who joins has its ID for a word.
	start=$(said start) || :
	identity=$(etcd_identity "$FIRN_ETCD_DATA")
	[ "$start" = "${identity% *}" ] || [ -z "$(remembered)" ] || start=''
fi
[ -n "$start" ] || start=$(remembered)
if ! has_data; then
	if [ -z "$FIRN_ETCD_CLUSTER" ]; then
		flags=("--initial-cluster=$FIRN_ETCD_NAME=unix://peer:0")
	else
		await_start
		lines=$(said flags)
		mapfile -t flags <<<"$lines"
	fi
fi
# For who has lost the majority for good, and says so by hand: docs/guides/etcd.md. Once: the file goes first.
if has_data && [ -e "$FIRN_ETCD_MEMORY/force-new-cluster" ]; then
	rm "$FIRN_ETCD_MEMORY/force-new-cluster"
	echo "firn-etcd: this member goes on alone: --force-new-cluster" >&2
	flags+=(--force-new-cluster)
fi
# etcd takes the place of this process; whoever remembers ends with it, and is no child of it, since it waits for none.
(remember "$start" >/dev/null &)
exec "$@" ${flags[@]+"${flags[@]}"}
