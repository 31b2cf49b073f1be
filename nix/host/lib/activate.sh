# shellcheck shell=dash
# Putting a release on trial. The call decides and writes down what will be tried; the unit firn-activate-<id>-<attempt>
# does it. In this order, so that being killed between any two steps leaves a host that comes back: the revert timer, the
# trial's record, the runner.

activate() {
	read_request hex:installation int:fence hex:id int:attempt int:confirmSeconds int:activateSeconds text:allow
	need_length id "$r_id" 12
	[ "$r_confirmSeconds" -ge 5 ] && [ "$r_activateSeconds" -ge 10 ] || refuse InvalidRequest "the deadlines are too short"
	read_text allow
	admit
	in_trial "$r_id" "$r_attempt" && accept
	! trial_in_progress || refuse Busy "release $t_id is on trial ($t_state)"
	settle_job reset
	! job_running reset || refuse Busy "the host is being reset"
	[ -d "$state/releases/$r_id" ] || refuse NotFound "release $r_id is not staged"
	candidate=$(system_of "$r_id")
	[ -n "$candidate" ] || refuse NotBuilt "release $r_id is not built"
	enough_space "$state" 4096 50 || refuse DiskFull "the disk of $state is full: $free_kib KiB and ${free_inodes:-enough} inodes are free"
	new_trial
	check_formats && preflight || decline
	if needs_reboot "$candidate"; then
		t_kind=reboot
		t_message=$(b64 "$reboot_because")
		move_trial RebootDue || refuse DiskFull "the trial cannot be written down: is /var full?"
		accept
	fi
	point activate-begun
	arm_revert activation "$r_activateSeconds" || refuse Failed "systemd-run could not arm the revert timer; nothing was changed"
	t_deadline=$(($(now) + r_activateSeconds))
	point activate-armed
	move_trial Activating || refuse DiskFull "the trial cannot be written down: is /var full?"
	detach "firn-activate-$r_id-$r_attempt" -- run-activate "$r_id" "$r_attempt" ||
		begin_revert ActivationFailed "systemd-run could not start the activation"
	accept
}

new_trial() {
	link_id current
	t_id=$r_id t_attempt=$r_attempt t_kind=live t_reason='' t_message='' t_failed='' t_deadline=''
	t_confirmSeconds=$r_confirmSeconds t_from=${id:--} t_fromSystem=$(system_of "$id")
	first_line /proc/sys/kernel/random/boot_id
	t_boot=$line
	t_program=$(program_hash)
}

# Not begun: `decline_reason` and `decline_text` say why. Nothing on the host has changed.
decline() {
	move_trial Reverted "$decline_reason" "$decline_text" || refuse DiskFull "the trial cannot be written down: is /var full?"
	mark_trial_bad
	accept
}

# arm_revert CAUSE SECONDS: a monotonic timer of its own for this trial. It needs nothing of the boot to be over: after a
# guarded reboot it is armed in the boot's first steps (systemd-run waits for a timer's start even with --no-block), and
# takes back a boot that never gets further.
arm_revert() {
	running_unit "firn-revert-$t_id-$t_attempt-$1.timer" ||
		revert_unit "$1" --on-active="${2}s" --timer-property=AccuracySec=1s --timer-property=RemainAfterElapse=no \
			--timer-property=DefaultDependencies=no --timer-property=Conflicts=shutdown.target
}

# revert_unit CAUSE [PROPERTY…]: a unit that goes on until the trial is taken back, or has systemd reboot.
revert_unit() {
	local cause=$1
	shift
	detach "firn-revert-$t_id-$t_attempt-$cause" --property=DefaultDependencies=no --property=Conflicts=shutdown.target \
		--property=Before=shutdown.target --property=Restart=on-failure --property=RestartSec=3s \
		--property=StartLimitIntervalSec=600 --property=StartLimitBurst=5 --property=StartLimitAction=reboot "$@" \
		-- run-revert "$t_id" "$t_attempt" "$cause"
}

disarm_revert() {
	systemctl stop "firn-revert-$1-$2-activation.timer" "firn-revert-$1-$2-confirmation.timer" 2>/dev/null
}

run_activate() {
	exec >"$state/log/activate" 2>&1 </dev/null
	local dir=$runtime/trial
	unhealthy=
	lock
	in_trial "$1" "$2" && [ "$t_state" = Activating ] || exit 0
	unlock
	say "release $1, attempt $2: from ${t_from} to $(system_of "$1")"
	rm -rf "$dir" && mkdir -p "$dir" && snapshot "$dir/units" || fail_trial ActivationFailed "systemd did not say which units are active"
	bring_files "$1" "$t_from" || fail_trial FilesFailed "$problems"
	point activate-flipped
	candidate=$(system_of "$1")
	if [ "$candidate" != "$(resolved /run/current-system)" ]; then
		if ! switch_to "$candidate"; then
			[ "$switch_status" -ne 100 ] || reboot_instead "$1" "$2"
			fail_trial ActivationFailed "$(switch_error)"
		fi
	fi
	point activate-switched
	settle_files "$1" || fail_trial FilesFailed "$problems"
	await_health "$dir/units" 30
	# shellcheck disable=SC2086 # a list of units
	[ -z "$unhealthy" ] || fail_trial UnitsFailed "$(why_unhealthy $unhealthy)"
	await_confirmation "$1" "$2"
}

# bring_files RELEASE FROM: the secrets in the clear, owners as far as they exist, the flip, the links.
bring_files() {
	local hash
	hash=$(part_of "$1" secrets)
	if [ -n "$hash" ]; then
		open_secrets "$hash" || {
			problems="the stored secrets cannot be decrypted with the host's key"
			return 1
		}
		own "$hash" >/dev/null
	fi
	changed_units "$2" "$1" >"$runtime/trial/changed"
	invocations "$runtime/trial/changed" >"$runtime/trial/invocations"
	ln -sfn "$state/current" "$runtime/current.new" && mv -T "$runtime/current.new" "$runtime/current"
	flip "$state/current" "${1:+releases/$1}" || {
		problems="the link $state/current cannot be moved"
		return 1
	}
	rm -f "$runtime/secrets-lost"
	problems=$(deliver "$1")
	[ -z "$problems" ]
}

# settle_files RELEASE: after the switch every owner must exist; then who must notice is told, once.
settle_files() {
	local hash
	hash=$(part_of "$1" secrets)
	problems=
	[ -z "$hash" ] || problems=$(own "$hash")
	[ -z "$problems" ] || return 1
	problems=$(notice "$runtime/trial/changed" "$runtime/trial/invocations")
	[ -z "$problems" ]
}

# switch_to SYSTEM: live, touching neither profile nor boot loader. Status 4 says that units failed: health has the names.
switch_to() {
	ln -sfn "$(program_file)" "$runtime/program.new" && mv -T "$runtime/program.new" "$runtime/program"
	: >"$runtime/trial/switching"
	openly "$1/bin/switch-to-configuration" test
	switch_status=$?
	say "switch-to-configuration test ended with status $switch_status"
	case $switch_status in 0 | 4) return 0 ;; *) return 1 ;; esac
}

# reboot_instead ID ATTEMPT: switch-to-configuration says with status 100, before it changes anything, that a reboot is
# needed. What was brought goes back, and the trial waits for that reboot.
reboot_instead() {
	bring_files "${t_from#-}" "$1" && settle_files "${t_from#-}" || fail_trial FilesFailed "$problems"
	rm -f "$runtime/trial/switching"
	lock
	in_trial "$1" "$2" && [ "$t_state" = Activating ] || exit 0
	t_kind=reboot t_message=$(b64 "switch-to-configuration cannot enter it live: only a reboot can")
	move_trial RebootDue || exit 1
	disarm_revert "$1" "$2"
	exit 0
}

switch_error() {
	printf 'switch-to-configuration ended with status %s:\n' "$switch_status"
	grep -v '^firn: ' "$state/log/activate" | tail -n 30
}

await_confirmation() {
	lock
	in_trial "$1" "$2" && [ "$t_state" = Activating ] || exit 0
	arm_revert confirmation "$t_confirmSeconds" || {
		unlock
		fail_trial ActivationFailed "systemd-run could not arm the revert timer"
	}
	t_deadline=$(($(now) + t_confirmSeconds))
	move_trial AwaitingConfirmation || {
		unlock
		fail_trial DiskFull "the trial cannot be written down: is /var full?"
	}
	systemctl stop "firn-revert-$1-$2-activation.timer"
	say "healthy; waiting for the confirmation"
}

# fail_trial REASON TEXT: what the runner does when it gives up.
fail_trial() {
	say "$1: $2"
	lock
	in_trial "$t_id" "$t_attempt" && [ "$t_state" = Activating ] || exit 0
	t_failed=$unhealthy
	begin_revert "$1" "$2"
	exit 0
}
