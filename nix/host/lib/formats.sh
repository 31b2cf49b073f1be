# shellcheck shell=dash
# Data and secrets carry a format each; a system lists those that it reads in /etc/firn/formats.json:
# {"data":[1],"secrets":[1]}. A system that lists none reads any.

check_formats() {
	local data secrets file=$candidate/etc/firn/formats.json
	[ -r "$file" ] || return 0
	IFS=' ' read -r data secrets <"$state/releases/$r_id/formats" || return 0
	if format_listed data "$data" && format_listed secrets "$secrets"; then return 0; fi
	decline_reason=FormatUnsupported
	decline_text="the system does not read data of format $data or secrets of format $secrets"
	return 1
}

# format_listed PART NUMBER
format_listed() {
	tr -d ' \n\t' <"$file" | grep -qE "\"$1\":(\[([0-9]+,)*$2[],]|$2[,}])"
}
