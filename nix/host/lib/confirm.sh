# shellcheck shell=dash
# Keeping what is on trial. From the record `Confirming` on there is no way back, and every step after it can be
# repeated: by the unit that was killed, by the next call, by the next boot.

confirm() {
	read_request hex:installation int:fence hex:id int:attempt
	need_length id "$r_id" 12
	admit
	in_trial "$r_id" "$r_attempt" || {
		link_id confirmed
		if [ "$id" = "$r_id" ]; then confirm_reply Confirmed; fi
		refuse NotFound "release $r_id, attempt $r_attempt, is not on trial"
	}
	case $t_state in
	AwaitingConfirmation)
		move_trial Confirming || refuse DiskFull "the confirmation cannot be written down: is /var full?"
		disarm_revert "$t_id" "$t_attempt"
		start_confirm
		;;
	Confirming) start_confirm ;;
	Confirmed | Reverted | Reverting) confirm_reply "$t_state" ;;
	*) refuse Busy "release $r_id is $t_state, which cannot be confirmed yet" ;;
	esac
	unlock
	local tries=0
	while [ $tries -lt 40 ]; do
		read_trial
		[ "$t_state" = Confirming ] || break
		tries=$((tries + 1))
		sleep 0.2
	done
	confirm_reply "$t_state"
}

confirm_reply() {
	printf '{"ok":true,"state":"%s"}\n' "$1" >&4
	exit 0
}

start_confirm() {
	running_unit "firn-confirm-$t_id-$t_attempt.service" ||
		detach "firn-confirm-$t_id-$t_attempt" --property=Restart=on-failure --property=RestartSec=10s \
			--property=StartLimitIntervalSec=600 --property=StartLimitBurst=10 -- run-confirm "$t_id" "$t_attempt"
}

run_confirm() {
	exec 8>"$runtime/revert-lock" && flock -w 300 8 || exit 1
	in_trial "$1" "$2" && [ "$t_state" = Confirming ] || exit 0
	local system
	system=$(system_of "$1")
	[ -n "$system" ] || stuck "the system of release $1 is no longer in the store"
	point confirm-begun
	if [ "$(resolved "$profile")" != "$system" ]; then
		openly nix-env --profile "$profile" --set "$system" || stuck "the system profile cannot be set: is /nix full?"
	fi
	point confirm-profile
	flip "$state/host" "bin/$(program_hash)" || stuck "the disk is full"
	first_line "$state/boot-default"
	if [ "$line" != "$system" ]; then
		rm -f "$state/boot-default"
		openly timeout 300 "$system/bin/switch-to-configuration" boot || stuck "the boot loader cannot be set: is /boot full?"
		printf '%s\n' "$system" | put "$state/boot-default" || stuck "the disk is full"
	fi
	point confirm-boot
	now | put "$state/releases/$1/confirmed-at" && flip "$state/confirmed" "releases/$1" || stuck "the disk is full"
	point confirm-confirmed
	lock
	in_trial "$1" "$2" && [ "$t_state" = Confirming ] || exit 0
	t_message='' t_failed=''
	forgive "$1"
	forget_oneshot
	rm -f "$runtime/booted-other"
	move_trial Confirmed || exit 1
	unlock
	# Only after a boot in the middle: the old system runs, the new one is the default. Now it may run, too.
	[ "$system" = "$(resolved /run/current-system)" ] || enter_confirmed "$1" "$system"
}

# Says in the trial's message why it takes so long, and has systemd try again.
stuck() {
	lock
	move_trial Confirming '' "$1"
	say "$1"
	exit 1
}

enter_confirmed() {
	mkdir -p "$runtime/trial"
	bring_files "$1" '' || say "$problems"
	if needs_reboot "$2" || ! switch_to "$2"; then reboot_now; fi
	settle_files "$1" || say "$problems"
}
