# shellcheck shell=dash
# What this host has of its cluster's datastore, and what nix/modules/kubernetes/etcd.sh remembers of it.

datastores=/var/lib

observe_etcd() {
	local data=false sqlite=false member='' cluster='' started='' transport='' word rest identity
	if [ -d "$datastores/etcd/member/wal" ]; then
		data=true
		identity=$(etcd_identity "$datastores/etcd")
		member=${identity% *} cluster=${identity#* }
	fi
	[ ! -e "$datastores/kine/state.db" ] || sqlite=true
	if [ -r "$datastores/firn-etcd/started" ]; then
		while read -r word rest; do
			case "$word $rest" in
			start\ *[!0-9a-z-]*) ;;
			start\ ?*) [ ${#rest} -gt 64 ] || started=$rest ;;
			transport\ Socket | transport\ TLS) transport=$rest ;;
			esac
		done <"$datastores/firn-etcd/started"
	fi
	printf ',"etcd":{"hasData":%s,"hasSQLite":%s,"clusterID":%s,"memberID":%s,"started":%s,"transport":%s}' \
		$data $sqlite "$(word_or_null "$cluster")" "$(word_or_null "$member")" \
		"$(word_or_null "$started")" "$(word_or_null "$transport")"
}
