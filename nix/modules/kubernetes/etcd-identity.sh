# shellcheck shell=dash
# etcd_identity DIRECTORY: prints MEMBER CLUSTER, the IDs of the data in it, as etcdctl shows them; nothing where that cannot
# be read. etcd need not run: it writes both into each file of its log, as the second record behind one of sixteen bytes.
# That is {1: type, 2: checksum, 3: {1: member, 2: cluster}} in protobuf, behind its length in eight bytes.
etcd_identity() {
	local file newest=''
	for file in "$1"/member/wal/*.wal; do
		[ ! -f "$file" ] || newest=$file
	done
	[ -n "$newest" ] || return 0
	od -An -v -tu1 -j24 -N48 "$newest" 2>/dev/null | awk '
		function varint(shift, bit, value, byte) {
			for (bit = 0; bit < 70; bit++) bits[bit] = 0
			shift = 0
			do {
				if (at >= count || shift > 63) { broken = 1; return "" }
				byte = bytes[at++]
				for (bit = 0; bit < 7; bit++) {
					bits[shift + bit] = byte % 2
					byte = int(byte / 2)
				}
				shift += 7
			} while (byte)
			value = ""
			for (bit = 60; bit >= 0; bit -= 4)
				value = value substr("0123456789abcdef", 1 + bits[bit] + 2 * bits[bit + 1] + 4 * bits[bit + 2] + 8 * bits[bit + 3], 1)
			sub(/^0+/, "", value)
			return value == "" ? "0" : value
		}
		function expect(byte) { if (bytes[at++] != byte) broken = 1 }
		{ for (field = 1; field <= NF; field++) bytes[count++] = $field }
		END {
			expect(8); expect(1); expect(16); varint(); expect(26); at++
			expect(8); member = varint(); expect(16); cluster = varint()
			if (!broken) print member, cluster
		}'
}
