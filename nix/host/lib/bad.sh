# shellcheck shell=dash
# Parts that were taken back: bad/<part>-<hash> has the lines reason, message (base64), time.

mark_bad() {
	mkdir -p "$state/bad"
	printf '%s\n' "$3" "$4" "$(now)" | put "$state/bad/$1-$2" || say "cannot remember that $1 $2 is bad"
}

# After a trial failed: the system if it changed, else what else changed. A failure to deliver files is the secrets' own.
mark_trial_bad() {
	local part was is changed=''
	for part in system data secrets; do
		is=$(part_of "$t_id" "$part")
		was=$(part_of "$t_from" "$part")
		[ "$is" = "$was" ] || changed="$changed $part"
	done
	case "$t_reason $changed " in
	'FilesFailed '*' secrets '*) changed=secrets ;;
	*' system '*) changed=system ;;
	esac
	for part in $changed; do
		mark_bad "$part" "$(part_of "$t_id" "$part")" "$t_reason" "$t_message"
	done
}

# forgive RELEASE: what was confirmed is good, whatever was said of it before.
forgive() {
	local part
	for part in system data secrets; do rm -f "$state/bad/$part-$(part_of "$1" "$part")"; done
}

reject() {
	read_request hex:installation int:fence text:part hex:hash text:reason text:message
	need_length hash "$r_hash" 64
	read_text part
	case $text_part in system | data | secrets) ;; *) refuse InvalidRequest "no such part of a release" ;; esac
	read_text reason
	case $text_reason in [!A-Z]* | '' | *[!A-Za-z0-9]*) refuse InvalidRequest "that is not a reason" ;; esac
	admit
	mark_bad "$text_part" "$r_hash" "$text_reason" "$r_message"
	accept
}

resume() {
	read_request hex:installation int:fence
	admit
	rm -rf "$state/bad" && rm -f "$runtime/booted-other" && flush "$state" || refuse Failed "the memory of bad parts cannot be removed"
	accept
}
