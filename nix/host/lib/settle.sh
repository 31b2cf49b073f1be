# shellcheck shell=dash
# Under the lock: what a killed runner left in the middle is brought to an end. The timers would do it as well, later.

settle() {
	read_trial
	local unit=firn-activate-$t_id-$t_attempt.service
	case $t_state in
	Activating)
		running_unit "$unit" || stopping || begin_revert ActivationFailed "the activation's process was killed"
		;;
	AwaitingConfirmation)
		reverting || running_unit "firn-revert-$t_id-$t_attempt-confirmation.timer" ||
			begin_revert NotConfirmed "the revert timer was stopped by somebody else"
		;;
	Reverting) reverting || start_revert ;;
	Confirming) start_confirm ;;
	Rebooting)
		running_unit "firn-reboot-$t_id-$t_attempt.timer" || running_unit "firn-reboot-$t_id-$t_attempt.service" ||
			move_trial RebootDue
		;;
	esac
}

# While the host goes down, units stop and nothing is to be concluded from it.
stopping() {
	[ "$(systemctl is-system-running 2>/dev/null)" = stopping ]
}

reverting() {
	local cause
	for cause in activation confirmation now; do
		running_unit "firn-revert-$t_id-$t_attempt-$cause.service" && return 0
	done
	return 1
}
