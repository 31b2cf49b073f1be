/** Who gets an answer from whom: listeners that answer with the address they see, and a scanner, on booted hosts. */
import type { TestHost } from './hosts/start.ts';

/** A place that packets come from or go to: a host, or a network namespace on it. */
export type Place = { host: TestHost; namespace?: string };

export type Target = { protocol: 'tcp' | 'udp'; address: string; port: number };

const listener = `
use strict; use Socket qw(:all getaddrinfo getnameinfo); use IO::Select;
my ($addresses, @ports) = @ARGV; my (%stream, $all); $all = IO::Select->new;
for my $address (split /,/, $addresses) { for my $port (@ports) { for my $type (SOCK_STREAM, SOCK_DGRAM) {
  my ($error, $info) = getaddrinfo($address, $port, { socktype => $type, flags => AI_NUMERICHOST });
  die $error if $error;
  socket(my $socket, $info->{family}, $type, 0) or die $!;
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($socket, $info->{addr}) or die "$address $port: $!";
  listen($socket, 64) if $type == SOCK_STREAM;
  $stream{fileno $socket} = $type == SOCK_STREAM; $all->add($socket);
} } }
open(my $ready, '>', "/run/listening-$$") or die; close $ready;
while (1) { for my $socket ($all->can_read) {
  my $client = $socket;
  my $peer = $stream{fileno $socket} ? accept($client = undef, $socket) : recv($socket, my $buffer, 100, 0);
  next unless $peer;
  my ($error, $name) = getnameinfo($peer, NI_NUMERICHOST);
  if ($stream{fileno $socket}) { send($client, "$name\\n", 0); close $client } else { send($socket, "$name\\n", 0, $peer) }
} }
`;

const scanner = `
use strict; use Socket qw(:all getaddrinfo); use IO::Select; use Fcntl; use Time::HiRes 'time';
my (%what, @datagrams, $all); $all = IO::Select->new;
while (my $line = <STDIN>) {
  chomp $line; my ($protocol, $address, $port) = split / /, $line;
  my $type = $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
  my ($error, $info) = getaddrinfo($address, $port, { socktype => $type, flags => AI_NUMERICHOST });
  die $error if $error;
  socket(my $socket, $info->{family}, $type, 0) or die $!;
  fcntl($socket, F_SETFL, O_NONBLOCK);
  connect($socket, $info->{addr});
  if ($type == SOCK_DGRAM) { push @datagrams, $socket; send($socket, 'x', 0) }
  $what{fileno $socket} = $line; $all->add($socket);
}
my $end = time + 2.5; my $again = time + 0.8;
while ($all->count && (my $left = $end - time) > 0) {
  if ($again && time > $again) { $again = 0; send($_, 'x', 0) for @datagrams }
  for my $socket ($all->can_read($left > 0.2 ? 0.2 : $left)) {
    my $count = sysread($socket, my $answer, 100);
    print "$what{fileno $socket} $answer" if $count;
    $all->remove($socket);
  }
}
`;

const inside = ({ namespace }: Place): string =>
  namespace === undefined ? '' : `ip netns exec ${namespace} `;

/** Answers on every port, of TCP and UDP, at every address, until the host is gone. */
export async function answerAt(
  place: Place,
  addresses: readonly string[],
  ports: readonly number[],
): Promise<void> {
  const unit = `answers-${place.namespace ?? 'host'}`;
  await place.host.run(`cat >/run/${unit}.pl`, { input: listener });
  await place.host.run(
    `systemctl stop ${unit} 2>/dev/null; rm -f /run/listening-*
    systemd-run --quiet --collect --unit=${unit} --setenv=PATH="$PATH" ${inside(place)}perl /run/${unit}.pl ${addresses.join(',')} ${ports.join(' ')}
    timeout 10 sh -c 'until ls /run/listening-*; do sleep 0.1; done'`,
  );
}

/** Those that answered, each with the address that it saw. */
export async function answersTo(
  from: Place,
  targets: readonly Target[],
): Promise<(Target & { seenAs: string })[]> {
  await from.host.run('cat >/run/scanner.pl', { input: scanner });
  const input = targets.map(({ protocol, address, port }) => `${protocol} ${address} ${port}\n`).join('');
  const { stdout } = await from.host.run(`${inside(from)}perl /run/scanner.pl`, { input });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ') as ['tcp' | 'udp', string, string, string])
    .map(([protocol, address, port, seenAs]) => ({ protocol, address, port: Number(port), seenAs }));
}

/** Something like a pod on a node's bridge: a namespace with one interface, and the node as its gateway. */
export async function plugPod(
  host: TestHost,
  namespace: string,
  addresses: readonly string[],
): Promise<Place> {
  const gateways = addresses.map((address) => address.replace(/[0-9a-f]+\/\d+$/, '1'));
  await host.run(
    `set -e
    ip netns add ${namespace}
    ip link add to-${namespace} type veth peer name eth0 netns ${namespace}
    ip link set to-${namespace} master brkube up
    ip -n ${namespace} link set lo up
    ip -n ${namespace} link set eth0 up
    ${addresses.map((address) => `ip -n ${namespace} addr add ${address} dev eth0 ${address.includes(':') ? 'nodad' : ''}`).join('\n')}
    ${gateways.map((gateway) => `ip -n ${namespace} route add default via ${gateway}`).join('\n')}`,
  );
  return { host, namespace };
}
