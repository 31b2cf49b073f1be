# shellcheck shell=dash
# What a host must have before anything is promised on it, and release 0: what ran before Firn.

require_host() {
	command -v nix >/dev/null && command -v nix-env >/dev/null || refuse NoNix "nix is not in PATH ($PATH)"
	[ -d /run/systemd/system ] || refuse NoSystemd "process 1 is not systemd"
	command -v systemd-run >/dev/null && command -v systemd-creds >/dev/null && command -v flock >/dev/null ||
		refuse NoSystemd "systemd-run, systemd-creds (systemd 250 or newer) and flock (util-linux) are needed"
	[ -x /run/current-system/bin/switch-to-configuration ] ||
		refuse NotNixOS "/run/current-system/bin/switch-to-configuration is not there: this is no NixOS to come back to"
	local where kind
	for where in "$state" /var/lib/systemd; do
		mkdir -p "$where"
		kind=$(stat -f -c %T "$where")
		case $kind in
		tmpfs | ramfs) refuse NotPersistent "$where is on $kind and does not survive a reboot: put it on a disk" ;;
		esac
	done
	chmod 755 "$state"
}

# The file release0 has the lines running, booted, profile; all are rooted before it is written.
record_release0() {
	[ -e "$state/release0" ] && return 0
	local running booted before
	running=$(resolved /run/current-system)
	booted=$(resolved /run/booted-system)
	before=$(resolved "$profile")
	[ -n "$booted" ] && [ -e "$booted" ] || booted=$running
	[ -e "$before" ] || before=
	openly mkdir -p "$gcroots" || refuse Failed "$gcroots cannot be made"
	flip "$gcroots/release0-running" "$running" && flip "$gcroots/release0-booted" "$booted" ||
		refuse DiskFull "release 0 cannot be rooted: is /nix full?"
	[ -z "$before" ] || flip "$gcroots/release0-profile" "$before" || refuse DiskFull "release 0 cannot be rooted"
	printf '%s\n' "$running" "$booted" "$before" | put "$state/release0" ||
		refuse DiskFull "release 0 cannot be written down: is /var full?"
}

read_release0() {
	z_running='' z_booted='' z_profile=''
	[ -r "$state/release0" ] || return 0
	{
		IFS= read -r z_running
		IFS= read -r z_booted
		IFS= read -r z_profile
	} <"$state/release0" || :
}
