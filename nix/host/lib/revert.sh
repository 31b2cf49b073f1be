# shellcheck shell=dash
# Taking a trial back. Whoever decides it (the timer, the runner, a person) moves the trial to Reverting under the lock
# and starts a revert unit; the units do the same work, one at a time, and can be killed and started again. If that does
# not help either, systemd reboots (StartLimitAction), which comes back to the last confirmed system.

# begin_revert REASON TEXT: under the lock, with the trial read.
begin_revert() {
	move_trial Reverting "$1" "$2" || say "the trial's state cannot be written; reverting all the same"
	mark_trial_bad
	start_revert
}

# What a timer would start, or a unit of its own where the timers are gone.
start_revert() {
	systemctl --no-block start "firn-revert-$t_id-$t_attempt-activation.service" 2>/dev/null ||
		systemctl --no-block start "firn-revert-$t_id-$t_attempt-confirmation.service" 2>/dev/null ||
		revert_unit now
}

revert() {
	read_request hex:installation int:fence hex:id int:attempt text:message
	need_length id "$r_id" 12
	admit
	in_trial "$r_id" "$r_attempt" || refuse NotFound "release $r_id, attempt $r_attempt, is not on trial"
	case $t_state in
	Activating | AwaitingConfirmation) begin_revert RejectedByUser "$(unb64 "$r_message")" ;;
	RebootDue)
		move_trial Reverted RejectedByUser "$(unb64 "$r_message")"
		mark_trial_bad
		;;
	Reverting | Reverted) ;;
	*) refuse Busy "release $r_id is $t_state" ;;
	esac
	accept
}

run_revert() {
	exec 8>"$runtime/revert-lock" && flock -w 300 8 || exit 1
	lock
	in_trial "$1" "$2" || exit 0
	case $t_state/$3 in
	Activating/activation)
		begin_timeout ActivationTimedOut "the activation took longer than it may: $(tail -n 15 "$state/log/activate" 2>/dev/null)"
		;;
	AwaitingConfirmation/confirmation)
		begin_timeout NotConfirmed "the operator did not confirm over a new connection in time"
		;;
	Reverting/*) ;;
	*) exit 0 ;;
	esac
	unlock
	say "taking release $1 back: $t_reason"
	stop_runner "$1" "$2"
	point revert-stopped
	if [ "$t_kind" = reboot ]; then
		# Who allowed an unprotected reboot has the candidate as the boot default.
		[ -e "$state/boot-default" ] || openly timeout 300 "$t_fromSystem/bin/switch-to-configuration" boot
		reboot_now
	fi
	[ "$t_from" != - ] || t_from=
	come_back
}

begin_timeout() {
	move_trial Reverting "$1" "$2"
	mark_trial_bad
}

# The activation's processes are gone when its cgroup is: systemd says so by ending the stop.
stop_runner() {
	local unit=firn-activate-$1-$2.service group dir
	group=$(systemctl show -p ControlGroup --value "$unit" 2>/dev/null)
	systemctl stop "$unit" 2>/dev/null
	[ -n "$group" ] || return 0
	for dir in /sys/fs/cgroup "/sys/fs/cgroup/systemd" /sys/fs/cgroup/unified; do
		local tries=0
		while [ -s "$dir$group/cgroup.procs" ] && [ $tries -lt 50 ] && grep -q . "$dir$group/cgroup.procs"; do
			[ $tries -ne 25 ] || systemctl kill --signal=KILL "$unit" 2>/dev/null
			tries=$((tries + 1))
			sleep 0.2
		done
	done
}

come_back() {
	local dir=$runtime/trial switched=''
	mkdir -p "$dir"
	# What an interrupted switch wanted to start or restart is not the old system's business.
	rm -f /run/nixos/start-list /run/nixos/restart-list /run/nixos/reload-list \
		/run/nixos/restart-by-activation-list /run/nixos/reload-by-activation-list
	bring_files "$t_from" "$t_id" || say "$problems"
	point revert-flipped
	# The runner may have died in the middle of a switch, which moves /run/current-system on its way.
	if [ "$(resolved /run/current-system)" != "$t_fromSystem" ] || [ -e "$dir/switching" ]; then
		switched=yes
		switch_back "$t_fromSystem" || reboot_now
	fi
	point revert-switched
	settle_files "$t_from" || say "$problems"
	if [ -e "$dir/units" ]; then
		start_lost "$dir/units"
		await_health "$dir/units" 30
		[ -z "$unhealthy" ] || [ -z "$switched" ] || reboot_now
	fi
	lock
	in_trial "$t_id" "$t_attempt" && [ "$t_state" = Reverting ] || exit 0
	move_trial Reverted || exit 1
	disarm_revert "$t_id" "$t_attempt"
	say "release ${t_from:-0} runs again"
}

# switch_back SYSTEM: again where it fails, since somebody else's switch may hold its lock.
switch_back() {
	local tries=0
	until switch_to "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 3 ] || return 1
		sleep 3
	done
}

start_lost() {
	local units
	units=$(
		lost_since "$1"
		failed_since "$1"
	)
	[ -n "$units" ] || return 0
	# shellcheck disable=SC2086 # unit names hold no spaces
	systemctl reset-failed -- $units 2>/dev/null
	# shellcheck disable=SC2086
	timeout 60 systemctl start -- $units || say "not all units that ran before can be started"
}

# Safe by the first rule: the boot default is the last confirmed system. The next boot ends the trial.
reboot_now() {
	say "rebooting into the last confirmed system"
	flush "$state"
	systemctl reboot || systemctl --force reboot
	sleep 120
	exit 1
}
