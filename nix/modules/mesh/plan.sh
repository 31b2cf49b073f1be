# shellcheck shell=bash
# The file of peers, checked, as lines of words separated by tabs; `-` stands for nothing.
#   mtu BYTES|-          address ADDRESS          network CIDR
#   epoch NUMBER DEVICE PORT ACTIVE(0|1)
#   peer DEVICE PUBLIC-KEY ENDPOINT|- KEEPALIVE ALLOWED-IPS|- PRESHARED(0|1) NAME

plan() {
	jq -r --arg devices "$FIRN_MESH_DEVICES" '
		def need(what; holds): if holds then . else error(what) end;
		def text(what; pattern): need(what; type == "string" and test(pattern));
		def whole(what; low; high): need(what; type == "number" and . == floor and . >= low and . <= high);
		def list(what; most): need(what; type == "array" and length <= most);
		def cidr: text("a network"; "^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$");
		def dash: if . == null then "-" else . end;
		def row: map(tostring) | join("\t");
		($devices | split(" ")) as $ours |
		(["mtu", (.mtu | dash | if . == "-" then . else whole("mtu"; 1280; 65455) end)] | row),
		(.addresses | list("addresses"; 8)[] | text("an address"; "^[0-9a-fA-F:.]{2,45}$") | ["address", .] | row),
		(.networks | list("networks"; 1024)[] | cidr | ["network", .] | row),
		(.epochs | list("epochs"; 2) | need("two epochs on one device"; (map(.device) | unique | length) == length)
			| sort_by(.epoch)[] | . as $epoch
			| (.device | need("a device of firn.mesh"; . as $name | $ours | index([$name]))) as $device
			| (["epoch", (.epoch | whole("epoch"; 1; 999999999)), $device,
				(.listenPort | whole("listenPort"; 1; 65535)), (if .active == true then 1 else 0 end)] | row),
			  (.peers | list("peers"; 2000)[]
				| ["peer", $device, (.publicKey | text("a public key"; "^[A-Za-z0-9+/]{43}=$")),
					(.endpoint | dash | text("an endpoint"; "^(-|[][A-Za-z0-9.:_%-]{3,270})$")),
					(.keepalive | if . == null then 0 else whole("keepalive"; 0; 65535) end),
					(.allowedIPs | list("allowedIPs"; 256) | map(cidr) | if . == [] then "-" else join(",") end),
					(if .preshared == true then 1 else 0 end),
					(.name | text("a name"; "^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$"))] | row))
	' <"$FIRN_MESH_PEERS"
}
