# shellcheck shell=dash
# Resolving a flake reference once, in the unit firn-resolve: what `nix flake metadata` says under `locked`.

resolve() {
	read_request hex:installation int:fence text:url text:refresh
	read_text url
	case $text_url in '' | -* | *[!A-Za-z0-9:/._?=\&%+~@-]*) refuse InvalidRequest "that is not a flake reference" ;; esac
	admit
	settle_job resolve
	if job_running resolve; then
		[ "$j_subject" = "$r_url.$r_refresh" ] && accept
		refuse Busy "another flake reference is being resolved"
	fi
	command -v nix >/dev/null || refuse NoNix "nix is not in PATH"
	start_job resolve "$r_url.$r_refresh" -- run-resolve "$text_url"
	accept
}

run_resolve() {
	local log=$state/log/resolve meta=$runtime/resolve.json status locked source
	nix --extra-experimental-features 'nix-command flakes' flake metadata --json --refresh --no-write-lock-file "$1" \
		>"$meta" 2>"$log" </dev/null
	status=$?
	# Nix reads the JSON, since nothing else on a host is sure to: the file's name is ours, nothing is spliced.
	locked=$([ $status -ne 0 ] || member 'builtins.toJSON m.locked') && source=$(member 'm.path')
	lock
	if [ $status -eq 0 ] && [ -n "$locked" ]; then
		case $source in /nix/store/*) openly mkdir -p "$gcroots" && flip "$gcroots/nixpkgs" "$source" ;; esac
		read_job resolve
		j_extra=$(printf '%s' "$locked" | base64 | tr -d '\n')
		write_job resolve
		finish_job resolve Succeeded ''
	else
		finish_job resolve Failed "$(build_error "$log")"
	fi
}

member() {
	nix --extra-experimental-features nix-command eval --raw --impure --expr \
		"let m = builtins.fromJSON (builtins.readFile $runtime/resolve.json); in $1" 2>>"$log" </dev/null
}
