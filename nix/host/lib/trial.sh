# shellcheck shell=dash
# The one release that is not yet confirmed. The file `trial` has lines `name value`; it is only ever replaced whole.
#   kind      live (switched without a reboot) or reboot
#   from      the release that ran before (`-`: release 0), fromSystem its store path: what a revert comes back to
#   message   base64
#   failed    units, space separated

trial_fields='id attempt state kind reason message deadline confirmSeconds from fromSystem boot program failed'

read_trial() {
	local name value
	t_id='' t_attempt='' t_state='' t_kind='' t_reason='' t_message='' t_deadline='' t_confirmSeconds=''
	t_from='' t_fromSystem='' t_boot='' t_program='' t_failed=''
	[ -r "$state/trial" ] || return 0
	while IFS=' ' read -r name value; do
		case $name in
		id | attempt | state | kind | reason | message | deadline | confirmSeconds | from | fromSystem | boot | program | failed)
			eval "t_$name=\$value"
			;;
		esac
	done <"$state/trial"
}

write_trial() {
	local name value
	for name in $trial_fields; do
		eval "value=\$t_$name"
		printf '%s %s\n' "$name" "$value"
	done | put "$state/trial"
}

# in_trial ID ATTEMPT: reads the trial and says whether it is this one.
in_trial() {
	read_trial
	[ "$t_id" = "$1" ] && [ "$t_attempt" = "$2" ]
}

trial_in_progress() {
	read_trial
	case $t_state in
	Activating | AwaitingConfirmation | Rebooting | Confirming | Reverting) return 0 ;;
	*) return 1 ;;
	esac
}

# move_trial STATE [REASON [TEXT]]: of the trial that was just read, under the lock.
move_trial() {
	t_state=$1
	[ $# -lt 2 ] || t_reason=$2
	[ $# -lt 3 ] || t_message=$(clipped_b64 "$3")
	case $1 in
	AwaitingConfirmation | Activating) ;;
	*) t_deadline= ;;
	esac
	write_trial || return 1
	point "trial-$1"
}

# At most 4 KiB of text, its end, since the error is there.
clipped_b64() {
	printf '%s' "$1" | tail -c 4096 | base64 | tr -d '\n'
}
