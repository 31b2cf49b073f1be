# shellcheck shell=dash
# One lock in /run for every change of state: compare and set happen under it, nothing long does.

lock() {
	mkdir -p "$runtime" && chmod 755 "$runtime" || refuse Failed "/run/firn cannot be made"
	exec 9>"$runtime/lock" || refuse Failed "/run/firn/lock cannot be opened"
	flock -w 30 9 || refuse Busy "another call has held the lock for 30 seconds"
}

unlock() { exec 9>&-; }
