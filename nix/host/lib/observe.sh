# shellcheck shell=dash
# Everything the operator needs to know, in one reply and few processes. What a boot or a killed runner left open is
# settled first; else nothing is changed.

observe() {
	local system booted before
	system=$(resolved /run/current-system)
	booted=$(resolved /run/booted-system)
	before=$(resolved "$profile")
	case $system in
	/nix/store/*) ;;
	*) refuse NotNixOS "/run/current-system is no path in the Nix store: this host is not NixOS" ;;
	esac
	[ -e "$booted" ] || booted=$system
	[ -e "$before" ] || before=
	if trial_in_progress || [ ! -e "$runtime/boot-settled" ]; then
		lock
		settle_boot
		settle
		unlock
	fi
	local job
	for job in build resolve reset; do [ ! -e "$state/jobs/$job" ] || settle_job $job; done
	{
		printf '{"ok":true,"program":"%s","time":%s,' "$(program_hash)" "$(now)"
		first_line /proc/sys/kernel/random/boot_id
		printf '"bootId":"%s","facts":%s,"disk":[' "$line" "$(facts "$system")"
		observe_disk
		printf '],"owner":'
		observe_owner
		printf ',"running":{"system":"%s","booted":"%s","profile":%s,"generation":%s},' \
			"$system" "$booted" "$(word_or_null "$before")" "$(generation)"
		observe_releases
		observe_release
		observe_mesh
		observe_etcd
		observe_frontends
		observe_trial
		observe_bad
		observe_jobs
		printf ',"bootedOther":%s,"secretsLost":%s,"failedUnits":%s}\n' \
			"$(truth "$runtime/booted-other")" "$(truth "$runtime/secrets-lost")" "$(failed_units)"
	} >&4
	exit 0
}

truth() { if [ -e "$1" ]; then printf true; else printf false; fi; }

failed_units() {
	# shellcheck disable=SC2046 # unit names hold no spaces
	json_list $(systemctl list-units --failed --full --plain --no-legend --no-pager | cut -d' ' -f1)
}

generation() {
	local link
	link=$(readlink "$profile" 2>/dev/null) || link=
	link=${link##*/} link=${link#system-} link=${link%-link}
	case $link in '' | *[!0-9]*) printf null ;; *) printf %s "$link" ;; esac
}

# Facts that change with a boot or a switch only are kept for both. Nix may still be installed.
facts() {
	local known rest
	if [ -r "$runtime/facts" ]; then
		{
			IFS= read -r known
			IFS= read -r rest
		} <"$runtime/facts"
	fi
	if [ "${known:-}" != "$1" ]; then
		rest=$(find_facts "$1")
		case $rest in
		*'"nixVersionB64":""'*) ;;
		*) [ ! -w "$runtime" ] || printf '%s\n%s\n' "$1" "$rest" >"$runtime/facts" ;;
		esac
	fi
	printf '%s,"addresses":%s}' "$rest" "$(addresses)"
}

find_facts() {
	local hostname kernel nixos memory nix machine
	first_line /proc/sys/kernel/hostname
	hostname=$line
	first_line /proc/sys/kernel/osrelease
	kernel=$line
	first_line "$1/nixos-version"
	nixos=$line
	memory=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
	nix=$(nix --version 2>/dev/null | awk '{ print $NF }')
	machine=$(uname -m)
	case $machine in i?86) machine=i686 ;; esac
	printf '{"hostnameB64":"%s","system":"%s-linux","kernelB64":"%s","nixVersionB64":"%s","nixosVersionB64":"%s",' \
		"$(b64 "$hostname")" "$machine" "$(b64 "$kernel")" "$(b64 "$nix")" "$(b64 "$nixos")"
	printf '"systemdVersion":%s,"cpus":%s,"memoryBytes":%s' \
		"$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 + 0 }' | grep . || printf 0)" "$(nproc)" $((memory * 1024))
}

addresses() {
	# shellcheck disable=SC2046 # addresses hold no spaces
	json_list $(ip -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }')
}

# A path that shares a file system with one before it is shown all the same: the operator asks by path.
observe_disk() {
	local path separator=''
	for path in /nix /var /boot; do
		free_space $path || continue
		printf '%s{"path":"%s","freeBytes":%s,"freeInodes":%s}' "$separator" $path $((free_kib * 1024)) "${free_inodes:-null}"
		separator=,
	done
}

observe_owner() {
	read_owner
	if [ -n "$o_installation" ]; then
		printf '{"installation":"%s","fence":%s,"ownerB64":"%s","uid":"%s"}' "$o_installation" "$o_fence" "$o_owner" "$o_uid"
	else
		printf null
	fi
	read_release0
	if [ -n "$z_running" ]; then
		printf ',"release0":{"running":"%s","booted":"%s","profile":%s}' "$z_running" "$z_booted" "$(word_or_null "$z_profile")"
	else
		printf ',"release0":null'
	fi
}

observe_releases() {
	local dir separator='' system data secrets part
	printf '"releases":['
	for dir in "$state"/releases/*; do
		case ${dir##*/} in *[!0-9a-f]*) continue ;; esac
		IFS=' ' read -r system data secrets <"$dir/parts" || continue
		printf '%s{"id":"%s","parts":{"system":"%s","data":"%s","secrets":"%s"},"system":%s}' \
			"$separator" "${dir##*/}" "$system" "$data" "$secrets" "$(word_or_null "$(system_of "${dir##*/}")")"
		separator=,
	done
	printf '],"stored":{'
	separator=
	for part in system data secrets; do
		printf '%s"%s":%s' "$separator" $part "$(stored_hashes $part)"
		separator=,
	done
	link_id current
	printf '},"current":%s' "$(word_or_null "$id")"
	link_id confirmed
	printf ',"confirmed":%s' "$(word_or_null "$id")"
}

stored_hashes() {
	local dir list=''
	for dir in "$state/parts/$1"/*; do
		dir=${dir##*/}
		case $dir in *[!0-9a-f]*) continue ;; esac
		part_stored "$1" "$dir" || continue
		list="$list $dir"
	done
	# shellcheck disable=SC2086 # hashes
	json_list $list
}

observe_trial() {
	local failed
	read_trial
	if [ -z "$t_id" ]; then
		printf ',"trial":null'
		return 0
	fi
	failed=$t_failed
	if [ "$t_state" = AwaitingConfirmation ]; then failed=$(failed_since "$(units_before)"); fi
	# shellcheck disable=SC2086 # unit names hold no spaces
	printf ',"trial":{"id":"%s","attempt":%s,"state":"%s","reason":%s,"messageB64":"%s","deadline":%s,"failedUnits":%s}' \
		"$t_id" "$t_attempt" "$t_state" "$(word_or_null "$t_reason")" "$t_message" "${t_deadline:-null}" "$(json_list $failed)"
}

observe_bad() {
	local file name separator='' reason message at
	printf ',"bad":['
	for file in "$state"/bad/*; do
		case $file in *'*' | *.new) continue ;; esac
		name=${file##*/}
		{
			IFS= read -r reason
			IFS= read -r message
			IFS= read -r at
		} <"$file" || continue
		printf '%s{"part":"%s","hash":"%s","reason":"%s","messageB64":"%s","at":%s}' \
			"$separator" "${name%%-*}" "${name#*-}" "$reason" "$message" "$at"
		separator=,
	done
	printf ']'
}

observe_jobs() {
	if read_job build; then
		printf ',"build":{"state":"%s","startedAt":%s,"messageB64":"%s","id":"%s"}' "$j_state" "$j_started" "$j_message" "$j_subject"
	else
		printf ',"build":null'
	fi
	if read_job resolve; then
		printf ',"resolve":{"state":"%s","startedAt":%s,"messageB64":"%s","urlB64":"%s","refreshB64":"%s","lockedB64":"%s"}' \
			"$j_state" "$j_started" "$j_message" "${j_subject%%.*}" "${j_subject#*.}" "$j_extra"
	else
		printf ',"resolve":null'
	fi
	if read_job reset; then
		printf ',"reset":{"state":"%s","startedAt":%s,"messageB64":"%s"}' "$j_state" "$j_started" "$j_message"
	else
		printf ',"reset":null'
	fi
}
