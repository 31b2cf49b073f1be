# shellcheck shell=dash
# Free space before something is written, not in the middle of it.

# free_space PATH: sets free_kib and free_inodes (empty where the file system counts none).
free_space() {
	local size blocks files
	free_kib='' free_inodes=''
	# shellcheck disable=SC2046 # three numbers
	set -- $(stat -f -c '%S %a %d %c' "$1" 2>/dev/null)
	[ $# -eq 4 ] || return 1
	size=$1 blocks=$2 files=$4
	free_kib=$((size * blocks / 1024))
	[ "$files" -eq 0 ] || free_inodes=$3
}

# require_space PATH KIB INODES: refuses with DiskFull, after pruning what nothing refers to.
require_space() {
	enough_space "$@" && return 0
	lock
	prune_unused
	unlock
	enough_space "$@" || refuse DiskFull "$1 has $free_kib KiB and ${free_inodes:-enough} inodes free, $2 KiB and $3 inodes are needed"
}

enough_space() {
	free_space "$1" || return 0
	[ "$free_kib" -ge "$2" ] && { [ -z "$free_inodes" ] || [ "$free_inodes" -ge "$3" ]; }
}
