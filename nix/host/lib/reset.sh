# shellcheck shell=dash
# Back to release 0, then Firn off the host, in the unit firn-reset. Every step can be repeated; what says that there is
# something to reset goes last. Whoever looks whether it is over brings the program again, and takes it away by `depart`.

reset() {
	read_request hex:installation int:fence
	admit
	settle_job reset
	job_running reset && accept
	case $t_state in
	Activating | Confirming | Rebooting | Reverting) refuse Busy "release $t_id is $t_state" ;;
	esac
	start_job reset '' -- run-reset
	accept
}

run_reset() {
	exec >"$state/log/reset" 2>&1 </dev/null
	local target default dir=$runtime/trial
	lock
	read_trial
	[ -z "$t_id" ] || disarm_revert "$t_id" "$t_attempt"
	rm -f "$state/trial" && flush "$state"
	unlock
	# They would go on writing where nothing is to be left.
	systemctl stop firn-build.service firn-resolve.service 2>/dev/null
	read_release0
	target=$z_running default=${z_profile:-$z_running}
	[ -e "$target/bin/switch-to-configuration" ] || give_up "the system from before Firn is no longer in the store ($target)"
	link_id current
	mkdir -p "$dir" && snapshot "$dir/units"
	bring_files '' "$id" || say "$problems"
	point reset-flipped
	if [ "$(resolved "$profile")" != "$default" ]; then
		openly nix-env --profile "$profile" --set "$default" || give_up "the system profile cannot be set: is /nix full?"
	fi
	openly timeout 300 "$default/bin/switch-to-configuration" boot || give_up "the boot loader cannot be set: is /boot full?"
	point reset-default
	if [ "$(resolved /run/current-system)" != "$target" ]; then
		if needs_reboot "$target"; then
			say "the host must be rebooted to leave the last release: $reboot_because"
		else
			switch_to "$target" || give_up "$(tail -n 20 "$state/log/reset")"
		fi
	fi
	point reset-switched
	remove_firn
}

give_up() {
	say "$1"
	lock
	finish_job reset Failed "$1"
	exit 0
}

remove_firn() {
	lock
	systemctl stop 'firn-revert-*.timer' 2>/dev/null
	rm -f "$gcroots"/*-system "$gcroots/nixpkgs"
	# A switch leaves it alone.
	[ "$(systemctl show -p LoadState --value firn-secrets.service)" != not-found ] || systemctl stop firn-secrets.service
	point reset-unrooted
	# One step where it can be one, so that no half of Firn is left behind.
	rm -rf "$state.removed"
	if mv -T "$state" "$state.removed" 2>/dev/null; then
		flush /var/lib
		rm -rf "$state.removed"
	else
		find "$state" -mindepth 1 -maxdepth 1 ! -name owner ! -name release0 ! -name jobs -exec rm -rf {} +
		rm -rf "$state/jobs" "$state/owner" "$state/release0"
	fi
	forget_oneshot
	rm -rf "$gcroots" "$runtime"
}

depart() {
	read_request
	local tries=0
	while running_unit firn-reset.service && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	lock
	{ [ -e "$state/owner" ] || [ -e "$state/release0" ]; } && refuse Busy "the host is deployed to: it has an owner, or a release to go back to"
	rm -rf "$state.removed" "$state" "$runtime" || refuse Failed "$state cannot be removed"
	accept
}
