# switch-to-configuration switch|boot|test|dry-activate: go from the running system to $toplevel, as NixOS does it.
#
# The order: boot loader; compare units; stop; activate; re-execute and reload the manager; reload; restart; start;
# report. Exit status: 2 when activation failed, 3 when the manager could not reload, 4 when units failed, 100 when the
# system cannot be switched to live. $toplevel and $install_boot_loader are set above, by modules/switch.nix.
use strict;
use warnings;
use Fcntl qw(:flock);

my $action = shift // '';
my $dry = $action eq 'dry-activate';
my $lists = '/run/nixos';
my $status = 0;

$action =~ /^(switch|boot|test|dry-activate)$/ or do {
    print STDERR "Usage: $0 [switch|boot|test|dry-activate]\n";
    exit 1;
};
-e '/etc/NIXOS' or do { print STDERR "This is not a NixOS installation!\n"; exit 1 };

mkdir $lists, 0755;
open(my $lock, '>>', "$lists/switch-to-configuration.lock") or die "Could not open lock - $!\n";
flock($lock, LOCK_EX | LOCK_NB) or do { print STDERR "Could not acquire lock\n"; exit 1 };

$ENV{NIXOS_ACTION} = $action;
if ($action eq 'switch' || $action eq 'boot') {
    system($install_boot_loader, $toplevel) == 0 or do { print STDERR "Failed to install bootloader\n"; exit 1 };
}
exit 0 if $action eq 'boot';

my $interface = sub { my ($file) = @_; open(my $in, '<', $file) or return ''; my $text = <$in> // ''; $text };
if (!$ENV{NIXOS_NO_CHECK} && $interface->('/run/current-system/init-interface-version') ne $interface->("$toplevel/init-interface-version")) {
    print STDERR "Warning: do not know how to make this configuration live; please reboot.\n";
    exit 100;
}
$SIG{PIPE} = 'IGNORE';    # the connection that reads us may go while we restart sshd
