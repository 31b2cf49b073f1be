# shellcheck shell=dash
# Requests and trials are read into variables by eval (SC2154, SC2034); `a && b || refuse` is meant, since refuse ends (SC2015).
# shellcheck disable=SC2154,SC2034,SC2015
# Firn's program on a host: one subcommand a call, one JSON object as its last line.
# It runs with what a host has: a POSIX shell with `local` (dash, bash, busybox), coreutils, findutils, sed, awk, tar,
# flock (util-linux), systemd 250 or newer, Nix. This text is put together from nix/host/lib/*.sh, in the order that
# controllers/lib/host/program.ts gives, and named by its SHA-256.
#
# Standard output belongs to the reply (file descriptor 4 from here on); whatever else speaks, speaks on standard error.
set -u
umask 077
export LC_ALL=C
exec 4>&1 1>&2

state=/var/lib/firn
runtime=/run/firn
gcroots=/nix/var/nix/gcroots/firn
profile=/nix/var/nix/profiles/system

# A place where the host may be killed. The tests put another definition here and kill it at each of these names.
point() { :; }

say() { printf 'firn: %s\n' "$*" >&2; }

# refuse CODE SENTENCE: the reply that says no. Never returns.
refuse() {
	say "$1: $2"
	printf '{"ok":false,"code":"%s","messageB64":"%s"}\n' "$1" "$(b64 "$2")" >&4
	exit 1
}

accept() {
	printf '{"ok":true}\n' >&4
	exit 0
}

# The store path that a link ends in, or nothing.
resolved() {
	readlink -f -- "$1" 2>/dev/null || :
}

# first_line FILE: sets `line`, empty where there is no such file. No process is started.
first_line() {
	line=
	if [ -r "$1" ]; then IFS= read -r line <"$1" || :; fi
}

now() { date +%s; }

# What others read and run is made under the umask that a system expects.
openly() { (umask 022 && "$@"); }
