# shellcheck shell=bash
# firn-await WHAT PROGRAM FLAG…: becomes the program as soon as what it cannot start without is there. The program by itself
# would end and be started again and again, and who looks at the host could not tell that from a fault.
#
#   etcd           this host's member takes part in the cluster: its metrics' port says so, and a learner does not
#   socket:PATH    somebody listens there
#   api:FILE       the API server of that kubeconfig is ready
#   subnet:FILE    it knows this host's Node, and the subnet of that
set -euo pipefail

# So long, at most; then systemd starts it anew, and the journal has a line.
tries=600

ready() {
	case $1 in
	etcd)
		local status
		exec 3<>/dev/tcp/127.0.0.1/2381 || return 1
		printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
		read -r -t 2 status <&3 || status=
		exec 3>&-
		[[ $status == *' 200 '* ]]
		;;
	socket:*) [ -S "${1#socket:}" ] ;;
	api:*) "$FIRN_KUBECTL" --kubeconfig="${1#api:}" --request-timeout=2s get --raw=/readyz >/dev/null ;;
	subnet:*)
		local cidr
		cidr=$("$FIRN_KUBECTL" --kubeconfig="${1#subnet:}" --request-timeout=2s get node "$NODE_NAME" -o 'jsonpath={.spec.podCIDR}')
		[ -n "$cidr" ]
		;;
	*)
		echo "usage: firn-await etcd|socket:PATH|api:FILE|subnet:FILE PROGRAM FLAG…" >&2
		exit 2
		;;
	esac
}

what=$1
shift
for ((try = 0; try < tries; try++)); do
	if ready "$what" 2>/dev/null; then exec "$@"; fi
	[ "$try" -ne 10 ] || echo "firn-await: waiting for ${what#*:}" >&2
	sleep "$((try < 20 ? 0 : 1)).2"
done
echo "firn-await: ${what#*:} is still not there" >&2
exit 1
