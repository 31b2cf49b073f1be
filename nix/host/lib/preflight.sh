# shellcheck shell=dash
# Before a first deployment: would this candidate boot here, and keep its network?

# check_formats: data and secrets carry a format each; the system lists what it reads in /etc/firn/formats.json.
check_formats() {
	local data secrets file=$candidate/etc/firn/formats.json
	IFS=' ' read -r data secrets <"$state/releases/$r_id/formats" || return 0
	[ -r "$file" ] || return 0
	format_listed data "$data" && format_listed secrets "$secrets" && return 0
	decline_reason=FormatUnsupported
	decline_text="the system does not read data of format $data or secrets of format $secrets"
	return 1
}

format_listed() {
	tr -d ' \n\t' <"$file" | grep -qE "\"$1\":(\[([0-9]+,)*$2[],]|$2[,}])"
}

preflight() { return 0; }
