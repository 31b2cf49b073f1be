# shellcheck shell=dash
# Building a release's system in the unit firn-build. A system part that another release has built is not even evaluated.

build() {
	read_request hex:installation int:fence hex:id
	need_length id "$r_id" 12
	admit
	[ -d "$state/releases/$r_id" ] || refuse NotFound "release $r_id is not staged"
	settle_job build
	if job_running build; then
		[ "$j_subject" = "$r_id" ] && accept
		refuse Busy "release $j_subject is being built"
	fi
	if adopt_build "$r_id"; then
		j_state=Succeeded j_started=$(now) j_subject=$r_id j_message='' j_extra=''
		write_job build || refuse DiskFull "the state of the build cannot be written: is /var full?"
		accept
	fi
	command -v nix >/dev/null || refuse NoNix "nix is not in PATH"
	enough_space /nix 262144 10000 || refuse DiskFull "/nix has $free_kib KiB and ${free_inodes:-enough} inodes free, 262144 KiB are needed to build"
	start_job build "$r_id" --property=MemoryHigh=70% --property=MemoryMax=85% --property=OOMPolicy=continue \
		-- run-build "$r_id"
	accept
}

# adopt_build RELEASE: takes the system of another release with the same system part, if that is still in the store.
adopt_build() {
	local part other system
	[ -z "$(system_of "$1")" ] || return 0
	part=$(part_of "$1" system)
	for other in "$state"/releases/*/; do
		other=${other%/} other=${other##*/}
		[ "$(part_of "$other" system)" = "$part" ] || continue
		system=$(system_of "$other")
		[ -n "$system" ] && keep_system "$1" "$system" && return 0
	done
	return 1
}

# keep_system RELEASE STORE-PATH: rooted first, then linked.
keep_system() {
	openly mkdir -p "$gcroots"
	[ "$(resolved "$gcroots/$1-system")" = "$2" ] || flip "$gcroots/$1-system" "$2" || return 1
	flip "$state/releases/$1/system" "$2"
}

run_build() {
	local log=$state/log/build bundle status text reason
	bundle=$(resolved "$state/releases/$1/bundle")
	openly mkdir -p "$gcroots"
	# A path: flake is copied to the store as it is; its resolved path keeps links out of it.
	openly nix --extra-experimental-features 'nix-command flakes' build --no-update-lock-file --no-write-lock-file \
		--print-build-logs --log-lines 25 --out-link "$gcroots/$1-system" \
		"path:$bundle#nixosConfigurations.host.config.system.build.toplevel" >"$log" 2>&1 </dev/null
	status=$?
	point build-ended
	if [ $status -eq 0 ] && keep_system "$1" "$(resolved "$gcroots/$1-system")"; then
		lock
		finish_job build Succeeded ''
		return 0
	fi
	text=$(build_error "$log")
	reason=$(build_reason "$log" $status)
	lock
	[ -z "$reason" ] || mark_bad system "$(part_of "$1" system)" "$reason" "$(clipped_b64 "$text")"
	finish_job build Failed "${text:-nix ended with status $status and said nothing}"
}

# The lines that a user needs: Nix' own from the first `error:` on. Where Nix leaves the failing builder's last lines out
# of them, since it has printed them as `name> line`, they follow the first.
build_error() {
	sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
		!n && match($0, /^[^ >]+> /) {
			name = substr($0, 1, RLENGTH - 2)
			said[name, heard[name]++ % 25] = substr($0, RLENGTH + 1)
		}
		n || /^ *error:/ { if (n < 120) line[n++] = $0 }
		n && /^ *> / { quoted = 1 }
		{ last[NR % 25] = $0 }
		function quote(drv, name, i) {
			# The version of a package is no part of the name that its lines have.
			for (name in heard) if (drv == name || index(drv, name "-") == 1) {
				print "       last lines of its log:"
				for (i = heard[name] > 25 ? heard[name] - 25 : 0; i < heard[name]; i++) print "       > " said[name, i % 25]
			}
		}
		END {
			for (i = NR - 24; !n && i <= NR; i++) if (i > 0) print last[i % 25]
			for (i = 0; i < n; i++) {
				print line[i]
				if (i == 0 && !quoted && match(line[i], /\/nix\/store\/[0-9a-z]+-.*\.drv/)) quote(substr(line[i], RSTART + 44, RLENGTH - 48))
			}
		}' | head -c 4000
}

# Whose fault it was: EvaluationFailed, BuildFailed, or nothing where the environment failed and the same may work later.
build_reason() {
	if [ "$2" -gt 128 ] || grep -qiE 'no space left|lack of free disk space|out of memory|cannot allocate memory|failed due to signal|unable to download|could not resolve host|couldn.t (connect|resolve)|cannot (connect|open connection) to|connection (refused|reset|timed out)|network is unreachable|timed out|temporary failure|interrupted by the user|database .* is (busy|locked)|curl: \(' "$1"; then
		return 0
	fi
	if grep -qE "builder for '.*' failed|[Cc]annot build '|build of '.*' failed|dependenc(y|ies) (of derivation )?.*failed to build|hash mismatch in fixed-output|Reason: .*builder" "$1"; then
		printf BuildFailed
	else
		printf EvaluationFailed
	fi
}
