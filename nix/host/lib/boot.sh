# shellcheck shell=dash
# What a boot means. A system with Firn's modules asks in firn-secrets.service, before anything needs a secret; after a
# boot into a system from before Firn the first call does it. Once a boot: the mark is in /run.

boot() {
	# In the middle of the boot's own transaction nothing may wait for a job of systemd.
	no_block=--no-block
	lock
	settle_boot
	# When the unit is started again later on, what is there is only made whole.
	link_id current
	take "$id"
	exit 0
}

settle_boot() {
	[ ! -e "$runtime/boot-settled" ] || return 0
	[ -e "$state/release0" ] || {
		: >"$runtime/boot-settled"
		return 0
	}
	local booted taken
	booted=$(resolved /run/booted-system)
	taken=$(meaning_of_boot "$booted")
	point boot-before-trial
	end_interrupted_trial "$booted"
	take "$taken"
	: >"$runtime/boot-settled"
}

# meaning_of_boot SYSTEM: prints the release that the boot means; marks a boot that somebody chose by hand.
meaning_of_boot() {
	local release at newest=0 found=''
	read_trial
	case $t_state in
	Rebooting | Confirming)
		[ "$(system_of "$t_id")" != "$1" ] || {
			printf %s "$t_id"
			return 0
		}
		;;
	esac
	link_id confirmed
	if [ -n "$id" ]; then
		[ "$(system_of "$id")" != "$1" ] || {
			printf %s "$id"
			return 0
		}
		# A confirmation that a power cut hit before the boot loader: it will be finished, and then entered.
		if [ "$t_state" = Confirming ]; then
			printf %s "$id"
			return 0
		fi
		for release in "$state"/releases/*/confirmed-at; do
			first_line "$release"
			release=${release%/*}
			[ "${line:-0}" -gt "$newest" ] && [ "$(system_of "${release##*/}")" = "$1" ] || continue
			newest=$line found=${release##*/}
		done
		printf '%s\n' "$1" >"$runtime/booted-other"
		printf %s "${found:-$id}"
		return 0
	fi
	read_release0
	case $1 in
	"$z_running" | "$z_booted" | "$z_profile") ;;
	*) printf '%s\n' "$1" >"$runtime/booted-other" ;;
	esac
}

# A boot ends every trial but the one that it was made for, and finishes a confirmation.
end_interrupted_trial() {
	read_trial
	case $t_state in
	Activating | AwaitingConfirmation) move_trial Reverted HostRestarted "the host restarted while release $t_id was on trial" ;;
	Reverting)
		forget_oneshot
		move_trial Reverted
		;;
	Confirming) start_confirm ;;
	Rebooting)
		if [ "$(system_of "$t_id")" = "$1" ]; then
			arm_revert confirmation "$t_confirmSeconds"
			t_deadline=$(($(now) + t_confirmSeconds))
			move_trial AwaitingConfirmation
		else
			move_trial Reverted HostRestarted "the guarded reboot came back to the last confirmed system: release $t_id did not boot"
			mark_trial_bad
			forget_oneshot
		fi
		;;
	esac || say "the end of the trial cannot be written down"
}

# take RELEASE: makes it current, with its secrets in the clear and its files in place. What cannot be decrypted is lost
# and said; the boot goes on.
take() {
	local hash problems
	mkdir -p "$runtime/secrets" && chmod 711 "$runtime/secrets"
	ln -sfn "$state/current" "$runtime/current.new" && mv -T "$runtime/current.new" "$runtime/current"
	link_id current
	[ "$id" = "$1" ] || flip "$state/current" "${1:+releases/$1}"
	hash=$(part_of "$1" secrets)
	if [ -n "$hash" ]; then
		if open_secrets "$hash"; then
			rm -f "$runtime/secrets-lost"
			own "$hash" >&2
		else
			: >"$runtime/secrets-lost"
			: >"$state/parts/secrets/$hash/lost"
			say "the stored secrets cannot be decrypted with this host's key; the operator must send them again"
		fi
	fi
	deliver "$1" >&2
}
