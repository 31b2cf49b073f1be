# shellcheck shell=dash
# Builds, resolutions and resets: one of each at a time. jobs/<what> has the lines `name value`: state, started, subject
# (an id, or url and refresh in base64 with a dot between), message (base64), extra (base64). log/<what> has all that was printed.

read_job() {
	local name value
	j_state='' j_started='' j_subject='' j_message='' j_extra=''
	[ -r "$state/jobs/$1" ] || return 1
	while IFS=' ' read -r name value; do
		case $name in state | started | subject | message | extra) eval "j_$name=\$value" ;; esac
	done <"$state/jobs/$1"
}

write_job() {
	local name value
	mkdir -p "$state/jobs" "$state/log" || return 1
	for name in state started subject message extra; do
		eval "value=\$j_$name"
		printf '%s %s\n' "$name" "$value"
	done | put "$state/jobs/$1"
}

# start_job WHAT SUBJECT [PROPERTY…] -- SUBCOMMAND…
start_job() {
	local what=$1
	j_state=Running j_started=$(now) j_subject=$2 j_message='' j_extra=''
	shift 2
	write_job "$what" || refuse DiskFull "the state of $what cannot be written: is /var full?"
	: >"$state/log/$what"
	point "job-$what"
	detach "firn-$what" "$@" || {
		finish_job "$what" Failed "systemd-run could not start the unit firn-$what"
		refuse Failed "systemd-run could not start the unit firn-$what"
	}
}

# finish_job WHAT STATE MESSAGE
finish_job() {
	read_job "$1" || return 1
	j_state=$2 j_message=$(clipped_b64 "$3")
	write_job "$1"
}

# A job whose unit is gone while its state says Running was killed, by a person, by the kernel or by a power cut.
settle_job() {
	read_job "$1" || return 1
	[ "$j_state" = Running ] && ! running_unit "firn-$1.service" || return 0
	read_job "$1"
	[ "$j_state" = Running ] || return 0
	finish_job "$1" Failed "it was interrupted: its process was killed or the host restarted"
}

job_running() {
	read_job "$1" && [ "$j_state" = Running ] && running_unit "firn-$1.service"
}

show_log() {
	read_request text:what int:lines
	read_text what
	case $text_what in build | activate | resolve | reset) ;; *) refuse InvalidRequest "there is no such log" ;; esac
	[ "$r_lines" -le 10000 ] || r_lines=10000
	printf '{"ok":true,"textB64":"' >&4
	tail -n "$r_lines" "$state/log/$text_what" 2>/dev/null | tail -c 262144 | base64 | tr -d '\n' >&4
	printf '"}\n' >&4
	exit 0
}
