# shellcheck shell=dash
# What takes long runs in transient units of system.slice: they survive the connection, the operator, and a switch (which
# stops removed slices with all in them). Interpreter and PATH are store paths of the system that runs now, the last good
# one, wherever that is NixOS; a candidate cannot take them away.

good_shell() { resolved /bin/sh; }

good_path() {
	local sw
	sw=$(resolved /run/current-system/sw)
	printf '%s' "${sw:+$sw/bin:}"
	printf '%s' "/nix/var/nix/profiles/default/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

# detach UNIT [PROPERTY…] -- SUBCOMMAND ARGUMENT…: starts a service, or a timer where a property is --on-active=….
detach() {
	local unit=$1
	shift
	local properties=''
	while [ "$1" != -- ]; do
		properties="$properties $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words of ours, without spaces
	systemd-run $no_block --quiet --no-ask-password --collect --unit="$unit" --slice=system.slice --description="Firn: $1" \
		--property=UMask=0077 --property=KillMode=mixed --property=TimeoutStopSec=10s \
		--setenv=HOME=/root --setenv=LC_ALL=C --setenv=TERM=dumb --setenv=PATH="$(good_path)" $properties \
		"$(good_shell)" "$(program_file)" "$@" </dev/null
}

# The file that this program was started from, under its own name.
program_file() { resolved "$0"; }

# The program's SHA-256 is its file's name; nothing has to be computed. A reset may just have taken the file away.
program_hash() {
	local file
	file=$(program_file)
	file=${file:-$0}
	printf '%s' "${file##*/}"
}

running_unit() {
	case $(systemctl show -p ActiveState --value "$1" 2>/dev/null) in
	active | activating | reloading | deactivating) return 0 ;;
	*) return 1 ;;
	esac
}
