# shellcheck shell=bash
# shellcheck disable=SC2034 # parts of one program share variables
# firn-mesh: applies a file of peers to WireGuard devices. Put together from nix/modules/mesh/*.sh by mesh.nix, which says
# in FIRN_MESH_* which devices are ours, who encrypts, and where the files are.
#
# What cannot be done now, and may be later without anybody's doing, is a problem, said in the file `state`; the rest of
# the mesh works on. Only what leaves this host without any device is a failure of the unit.
#
#   /run/firn/mesh/state             lines `device EPOCH DEVICE ACTIVE(0|1)`, `mtu BYTES given|derived|probed`, `problem TEXT`
#   /run/firn/mesh/<device>.peers    the peers as they were applied last, with preshared keys: root's alone, on tmpfs
#   /run/firn/mesh/{addresses,routes}   what was added, so that it can be taken away
#   /run/firn/mesh/mtu               what probing found
#   /var/lib/firn/wireguard/<epoch>.{key,pub}
set -uo pipefail
umask 077
export LC_ALL=C

runtime=/run/firn/mesh
keys=/var/lib/firn/wireguard
# rt_protos of iproute2 knows no such number: routes of ours are told from all others by it.
route_protocol=102
route_metric=50
declare -a problems=()

userspace() { [ "$FIRN_MESH_IMPLEMENTATION" = userspace ]; }

say() { printf '%s\n' "$*" >&2; }

# problem SENTENCE: said once, in one line, however long what it quotes.
problem() {
	local text=${1//[[:cntrl:]]/ } known
	text=${text:0:300}
	for known in ${problems[@]+"${problems[@]}"}; do [ "$known" != "$text" ] || return 0; done
	problems+=("$text")
	# Once, and not again each time that the watch looks.
	grep -qsxF "problem $text" "$runtime/state" || say "$text"
}

is_ours() {
	case " $FIRN_MESH_DEVICES " in *" $1 "*) return 0 ;; esac
	return 1
}

# put FILE: standard input becomes the file, whole.
put() { cat >"$1.new" && mv -T "$1.new" "$1"; }

prepare_runtime() {
	(umask 022 && mkdir -p "${runtime%/*}" "$runtime") && exec 9>"$runtime/lock" && flock -w 60 9
}
