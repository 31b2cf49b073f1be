# shellcheck shell=dash
# Health is what changed: a unit that was broken before a trial is nobody's fault, one that broke since is the trial's.

# snapshot FILE: lines `unit active-state sub-state` of all loaded units.
snapshot() {
	systemctl list-units --all --full --plain --no-legend --no-pager | awk '$2 == "loaded" { print $1, $3, $4 }' >"$1.new" &&
		mv "$1.new" "$1"
}

# The snapshot of the trial, or of before its guarded reboot.
units_before() {
	local file
	for file in "$runtime/trial/units" "$state/trial-units"; do
		[ ! -r "$file" ] || break
		file=/dev/null
	done
	printf %s "$file"
}

# failed_since FILE: units that are failed now and were not then.
failed_since() {
	systemctl list-units --failed --full --plain --no-legend --no-pager |
		awk 'NR == FNR { if ($2 == "failed") was[$1] = 1; next } !($1 in was) { print $1 }' "$1" -
}

# lost_since FILE: units that were active then, and that the system now running still wants up, but that are not.
# Not lost: what its system no longer has, what stopped by itself and well (oneshots, what a socket or D-Bus starts on
# demand, what nothing wants), and what a condition keeps down.
lost_since() {
	local gone
	gone=$(systemctl list-units --all --full --plain --no-legend --no-pager |
		awk 'NR == FNR { if ($2 == "active") was[$1] = 1; next }
			$3 == "active" || $3 == "reloading" || $3 == "activating" { delete was[$1] }
			END { for (u in was) if (u ~ /\.(service|socket|timer|path|mount|target)$/ && u !~ /^(user@|session-|user-|run-|systemd-fsck|firn-(activate|revert|confirm|build|resolve|reset)-)/) print u }' "$1" -)
	[ -n "$gone" ] || return 0
	# shellcheck disable=SC2086 # unit names hold no spaces
	systemctl show -p Id,LoadState,ActiveState,WantedBy,RequiredBy,UpheldBy,TriggeredBy,Type,RemainAfterExit,ConditionResult,FragmentPath -- $gone |
		awk 'function done() {
				if (v["LoadState"] == "loaded" && v["ActiveState"] == "inactive" && v["TriggeredBy"] == "" &&
					v["WantedBy"] v["RequiredBy"] v["UpheldBy"] != "" && v["ConditionResult"] != "no" &&
					!(v["Type"] == "oneshot" && v["RemainAfterExit"] == "no") && v["FragmentPath"] !~ /\/transient\//)
					print v["Id"]
				split("", v)
			}
			/^$/ { done(); next }
			{ i = index($0, "="); v[substr($0, 1, i - 1)] = substr($0, i + 1) }
			END { done() }'
}

# restarting: units that systemd is starting again and again.
restarting_units() {
	systemctl list-units --full --plain --no-legend --no-pager --state=auto-restart | awk '{ print $1 }'
}

# await_health FILE SECONDS: waits until nothing is starting any more, at most so long; sets `unhealthy` to the units
# that are worse than in the snapshot, empty where all is well.
await_health() {
	local until quiet=0
	until=$(($(now) + $2))
	while :; do
		if systemctl list-units --full --plain --no-legend --no-pager --state=activating,reloading |
			awk 'NR == FNR { if ($2 == "activating") was[$1] = 1; next } !($1 in was) { exit 1 }' "$1" -; then
			quiet=$((quiet + 1))
		else
			quiet=0
		fi
		[ $quiet -lt 2 ] && [ "$(now)" -lt "$until" ] || break
		sleep 0.3
	done
	unhealthy=$({
		failed_since "$1"
		lost_since "$1"
		restarting_units | awk 'NR == FNR { if ($3 == "auto-restart") was[$1] = 1; next } !($1 in was) { print $1 }' "$1" -
	} | sort -u | tr '\n' ' ')
	unhealthy=${unhealthy% }
}

# why_unhealthy UNIT…: what a user needs to see of the first few.
why_unhealthy() {
	local unit shown=0
	printf 'not up since the switch: %s\n' "$*"
	for unit; do
		[ $shown -lt 3 ] || break
		shown=$((shown + 1))
		last_words "$unit"
		printf '\n'
	done
}

# last_words UNIT: how it is, and what it said last. One that is started again and again has said nothing yet by now, so the
# journal is asked across its starts.
last_words() {
	systemctl status --full --no-pager --lines=0 -- "$1" 2>&1 | grep -E '^[^ ]|^ +Active: ' | cut -c 1-200
	journalctl --quiet --boot --no-pager --output=cat --lines=8 --unit="$1" 2>/dev/null | cut -c 1-300 | tail -c 1000
}

# notice FILE BEFORE: restarts and reloads the units that changed_units named, each once and with a deadline, in the order of
# their names: etcd before the API server that needs it. A unit whose invocation is not the one in BEFORE was started anew by
# the switch and has seen the new files. Prints what failed.
notice() {
	local verb unit
	awk '$1 == "restart" { r[$2] = 1 } $1 == "reload" { l[$2] = 1 }
		END { for (u in r) print "restart", u; for (u in l) if (!(u in r)) print "reload", u }' "$1" |
		sort -k 2 |
		while read -r verb unit; do
			case $(systemctl show -p ActiveState --value -- "$unit") in
			inactive) continue ;;
			failed) verb=restart ;;
			esac
			grep -qxF "$unit $(invocation "$unit")" "$2" || continue
			timeout 90 systemctl "$verb" -- "$unit" </dev/null && continue
			printf '%s of %s failed after its files changed:\n' "$verb" "$unit"
			last_words "$unit"
		done
}

invocation() { systemctl show -p InvocationID --value -- "$1"; }

# invocations FILE: lines `unit invocation` of the units in a file of changed_units.
invocations() {
	local unit
	cut -d' ' -f2 "$1" | sort -u | while read -r unit; do
		printf '%s %s\n' "$unit" "$(invocation "$unit")"
	done
}
