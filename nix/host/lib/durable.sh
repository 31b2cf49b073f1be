# shellcheck shell=dash
# What must survive a power cut: written under another name, flushed, renamed, and the directory flushed.

# coreutils' sync and busybox' call fsync(2) on each argument, files and directories alike; where they do not know
# arguments, everything is flushed instead.
flush() {
	sync "$@" 2>/dev/null || sync
}

# put FILE: standard input becomes FILE. On a full disk the reserve is given up for it.
put() {
	local text
	text=$(cat; printf .)
	if ! put_once "$1" "${text%.}"; then
		rm -f "$state/reserve"
		put_once "$1" "${text%.}" || return 1
	fi
}

put_once() {
	printf '%s' "$2" 2>/dev/null >"$1.new" || return 1
	flush "$1.new" && mv -T "$1.new" "$1" && flush "${1%/*}"
}

# flip LINK TARGET: moves a link in one step; an empty target removes it.
flip() {
	if [ -n "$2" ]; then
		ln -sfn "$2" "$1.new" && mv -T "$1.new" "$1" || return 1
	else
		rm -f "$1" || return 1
	fi
	flush "${1%/*}"
}

# A file that is in the way when the disk is full, so that state can still be written.
keep_reserve() {
	[ -e "$state/reserve" ] || dd if=/dev/zero of="$state/reserve" bs=65536 count=8 2>/dev/null || rm -f "$state/reserve"
}
