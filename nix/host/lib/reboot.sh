# shellcheck shell=dash
# Candidates that cannot be switched to live, and the guarded reboot into them: a one-shot boot entry, so that whatever
# happens the boot after it is the last confirmed system again.

# needs_reboot SYSTEM: compares with what runs (init system, its bus) and what was booted (kernel, initrd).
needs_reboot() {
	local part
	reboot_because=
	for part in systemd dbus; do
		differs "$1/$part" "/run/current-system/$part" && reboot_because="$reboot_because $part"
	done
	for part in kernel initrd; do
		differs "$1/$part" "/run/booted-system/$part" && reboot_because="$reboot_because $part"
	done
	same_text "$1/kernel-params" /run/booted-system/kernel-params || reboot_because="$reboot_because kernel-params"
	same_text "$1/init-interface-version" /run/current-system/init-interface-version || reboot_because="$reboot_because init-interface-version"
	same_text "$1/switch-inhibitors" /run/current-system/switch-inhibitors || reboot_because="$reboot_because switch-inhibitors"
	[ -n "$reboot_because" ] || return 1
	reboot_because="another$reboot_because: only a reboot can enter it"
}

# Where one of the two does not have it there is nothing to compare.
differs() {
	[ -e "$1" ] && [ -e "$2" ] && [ "$(resolved "$1")" != "$(resolved "$2")" ]
}

same_text() {
	[ ! -e "$1" ] || [ ! -e "$2" ] || cmp -s "$1" "$2"
}

reboot_host() {
	read_request hex:installation int:fence hex:id int:attempt int:confirmSeconds text:allow
	need_length id "$r_id" 12
	read_text allow
	admit
	in_trial "$r_id" "$r_attempt" || refuse NotFound "release $r_id, attempt $r_attempt, is not on trial"
	case $t_state in
	RebootDue) ;;
	Rebooting | AwaitingConfirmation | Confirming | Confirmed) accept ;;
	*) refuse NotFound "release $r_id is $t_state; no reboot is due" ;;
	esac
	candidate=$(system_of "$r_id")
	[ -n "$candidate" ] || refuse NotBuilt "the system of release $r_id is no longer in the store"
	t_confirmSeconds=$r_confirmSeconds
	first_line /proc/sys/kernel/random/boot_id
	t_boot=$line
	if ! set_oneshot "$candidate"; then
		decline_reason=RebootUnprotected decline_text="the boot loader has no one-shot entry: a candidate that does not boot would need hands on the host"
		allowed RebootUnprotected || decline
		openly "$candidate/bin/switch-to-configuration" boot || refuse Failed "the boot loader cannot be set"
		rm -f "$state/boot-default"
	fi
	snapshot "$state/trial-units" || rm -f "$state/trial-units"
	move_trial Rebooting || refuse DiskFull "the trial cannot be written down: is /var full?"
	detach "firn-reboot-$r_id-$r_attempt" --on-active=1s --timer-property=AccuracySec=100ms -- run-reboot || refuse Failed "systemd-run could not start the reboot"
	accept
}

run_reboot() { reboot_now; }

trial_profile=/nix/var/nix/profiles/system-profiles/firn-trial

# set_oneshot SYSTEM: systemd-boot's entry for it, for the next boot only. NixOS writes an entry for every generation of
# every profile, and makes the default what it was asked for: so the candidate gets a profile of its own, and the system
# that is the default writes the entries anew. Fails where the loader cannot do this.
set_oneshot() {
	local entry=$1 default
	command -v bootctl >/dev/null || return 1
	if [ -d /boot/loader ]; then
		default=$(resolved "$profile")
		openly mkdir -p "${trial_profile%/*}"
		openly nix-env --profile "$trial_profile" --set "$1" && openly "$default/bin/switch-to-configuration" boot || return 1
		entry=$(grep -ls "init=$1/init" /boot/loader/entries/nixos-*.conf | head -n 1)
		[ -n "$entry" ] && trial_entry <"$entry" >"$trial_conf.new" && flip_entry || return 1
		entry=${trial_conf##*/}
	fi
	bootctl set-oneshot "$entry"
}

trial_conf=/boot/loader/entries/firn-trial.conf

# trial_entry: the loader entry on standard input, for a boot that must not stop where somebody would have to press a key:
# a kernel that panics, an initial ramdisk that finds no root and a systemd that crashes restart the host, into the
# default (kernel-parameters(7), systemd(1); NixOS' headless profile does the same).
trial_entry() {
	sed -e '/^title /s/$/ (on trial)/' -e '/^options /s/$/ panic=30 boot.panic_on_fail systemd.crash_reboot=yes/'
}

flip_entry() { flush "$trial_conf.new" && mv -f "$trial_conf.new" "$trial_conf" && flush "${trial_conf%/*}"; }

forget_oneshot() {
	rm -f "$trial_profile" "$trial_profile"-*-link "$state/trial-units" "$trial_conf"
}
