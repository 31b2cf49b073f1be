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

# --- units as files ---------------------------------------------------------------------------------------------

sub slurp { my ($file) = @_; open(my $in, '<', $file) or return undef; local $/; return scalar <$in> }

# A unit file and its drop-ins as { section => { key => [values] } }; undef where there is none.
sub parse_unit {
    my ($file) = @_;
    return undef if !-e $file || (readlink($file) // '') eq '/dev/null';
    my %unit;
    for my $part ($file, sort glob("$file.d/*.conf")) {
        my $section = '';
        my $text = slurp($part) // '';
        $text =~ s/\\\n/ /g;
        for my $line (split /\n/, $text) {
            if ($line =~ /^\[(.+)\]\s*$/) { $section = $1 }
            elsif ($line =~ /^([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/) {
                if ($2 eq '') { $unit{$section}{$1} = [] }
                else { push @{ $unit{$section}{$1} }, $2 }
            }
        }
    }
    return \%unit;
}

sub value { my ($unit, $section, $key) = @_; my $all = $unit->{$section}{$key} // return undef; return $all->[-1] }

sub flag {
    my ($unit, $section, $key, $default) = @_;
    my $value = value($unit, $section, $key) // return $default;
    return $value =~ /^(1|yes|true|on)$/i ? 1 : 0;
}

# A change of these alone is no reason to restart anything.
my %silent = map { $_ => 1 } qw(
  X-Reload-Triggers Description Documentation OnFailure OnSuccess OnFailureJobMode IgnoreOnIsolate StopWhenUnneeded
  RefuseManualStart RefuseManualStop AllowIsolate CollectMode SourcePath
);

sub text_of { my ($values) = @_; return join "\0", @{ $values // [] } }

# 'equal', 'reload' or 'restart'.
sub compare_units {
    my ($old, $new) = @_;
    my %sections = map { $_ => 1 } keys %$old, keys %$new;
    delete $sections{Install};
    my $result = 'equal';
    for my $section (keys %sections) {
        my %keys = map { $_ => 1 } keys %{ $old->{$section} // {} }, keys %{ $new->{$section} // {} };
        for my $key (keys %keys) {
            my ($a, $b) = ($old->{$section}{$key}, $new->{$section}{$key});
            next if defined $a && defined $b && text_of($a) eq text_of($b);
            if ($section eq 'Unit' && $silent{$key}) { $result = 'reload' if $key eq 'X-Reload-Triggers' && defined $b }
            elsif ($section eq 'Mount' && $key eq 'Options') { $result = 'reload' }
            else { return 'restart' }
        }
    }
    return $result;
}

# A unit's file: instances are made of their template unless they have one of their own.
sub unit_file {
    my ($dir, $unit) = @_;
    return "$dir/$unit" if -e "$dir/$unit" || $unit !~ /^(.*)@[^@]*\.(\w+)$/;
    return "$dir/$1\@.$2";
}

# --- units as they run ------------------------------------------------------------------------------------------

sub active_units {
    my %units;
    open(my $in, '-|', 'systemctl', 'list-units', '--full', '--all', '--plain', '--no-legend', '--no-pager') or die "systemctl: $!\n";
    while (<$in>) {
        my ($name, $load, $active, $sub) = split ' ';
        $units{$name} = { load => $load, active => $active, sub => $sub } if $active ne 'inactive';
    }
    return \%units;
}

# --- what is to be done, kept in files so that a switch that was interrupted is finished by the next ------------------

my (%stop, %skip, %reload, %restart, %start);

sub remember { my ($file, $unit) = @_; return if $dry; open(my $out, '>>', "$lists/$file") or die "$lists/$file: $!\n"; print $out "$unit\n" }
sub recall { my ($file) = @_; return map { $_ => 1 } grep { $_ ne '' } split /\n/, slurp("$lists/$file") // '' }

%start = recall('start-list');
%restart = recall('restart-list');
%reload = recall('reload-list');

sub plan_start { $start{ $_[0] } = 1; remember('start-list', $_[0]) }
sub plan_restart { $restart{ $_[0] } = 1; remember('restart-list', $_[0]) }
sub plan_reload { $reload{ $_[0] } = 1; remember('reload-list', $_[0]) }

my $old_dir = '/etc/systemd/system';
my $new_dir = "$toplevel/etc/systemd/system";
my $before = active_units();

sub plan_modified {
    my ($unit, $new) = @_;
    return if $unit =~ /^(sysinit|basic|multi-user|graphical)\.target$/ || $unit =~ /\.(path|slice)$/;
    return plan_reload($unit) if $unit =~ /\.mount$/ && $unit =~ /^(-|nix)\.mount$/;
    return plan_restart($unit) if $unit =~ /\.mount$/;
    return plan_reload($unit) if flag($new, 'Service', 'X-ReloadIfChanged', 0);
    if (!flag($new, 'Service', 'X-RestartIfChanged', 1) || flag($new, 'Unit', 'RefuseManualStop', 0) || flag($new, 'Unit', 'X-OnlyManualStart', 0)) {
        $skip{$unit} = 1;
    } elsif (!flag($new, 'Service', 'X-StopIfChanged', 1)) {
        plan_restart($unit);
    } else {
        plan_stop_and_start($unit, $new);
    }
}

# A service with sockets is stopped with them, and the sockets start it again when somebody comes.
sub plan_stop_and_start {
    my ($unit, $new) = @_;
    my $by_socket = 0;
    if ($unit =~ /^(.*)\.service$/ && !flag($new, 'Service', 'X-NotSocketActivated', 0)) {
        my @sockets = split ' ', join ' ', @{ $new->{Service}{Sockets} // [] };
        @sockets = ("$1.socket") if !@sockets;
        for my $socket (grep { $before->{$_} } @sockets) {
            $stop{$socket} = 1;
            next unless -e "$new_dir/$socket";
            plan_start($socket);
            $by_socket = 1;
        }
    }
    $stop{$unit} = 1;
    plan_start($unit) unless $by_socket;
}

for my $unit (sort keys %$before) {
    my $state = $before->{$unit}{active};
    next unless $state eq 'active' || $state eq 'activating';
    my $old_file = unit_file($old_dir, $unit);
    my $old = parse_unit($old_file) or next;    # not made by a system: transient, generated, or systemd's own
    my $new = parse_unit(unit_file($new_dir, $unit));
    if (!$new) {
        $stop{$unit} = 1 if flag($old, 'Unit', 'X-StopOnRemoval', 1);
    } elsif ($unit =~ /\.target$/) {
        # Started again, so that what it newly wants is started.
        next if $unit =~ /^(suspend|hibernate|hybrid-sleep)\.target$/;
        plan_start($unit) unless flag($new, 'Unit', 'RefuseManualStart', 0) || flag($new, 'Unit', 'X-OnlyManualStart', 0);
        $stop{$unit} = 1 if flag($new, 'Unit', 'X-StopOnReconfiguration', 0);
    } else {
        my $difference = compare_units($old, $new);
        plan_modified($unit, $new) if $difference eq 'restart';
        plan_reload($unit) if $difference eq 'reload';
    }
}

# --- doing it ---------------------------------------------------------------------------------------------------

sub names { return join ', ', sort @_ }

# Targets are started silently: they are in every switch.
sub shown { return grep { !/\.target$/ } @_ }

sub report {
    my ($words, @units) = @_;
    print STDERR "$words the following units: ", names(@units), "\n" if @units;
}

sub systemctl { my (@arguments) = @_; return system('systemctl', @arguments) == 0 }

if ($dry) {
    report('would stop', keys %stop);
    print STDERR "would NOT restart the following changed units: ", names(keys %skip), "\n" if %skip;
    print STDERR "would activate the configuration...\n";
    report('would reload', keys %reload);
    report('would restart', keys %restart);
    report('would start', shown(keys %start));
    exit 0;
}

syslog_line("switching to system configuration $toplevel");
if (%stop) {
    report('stopping', shown(keys %stop));
    systemctl('stop', '--', sort keys %stop);    # failures are ignored
}
print STDERR "NOT restarting the following changed units: ", names(keys %skip), "\n" if %skip;

my $same_manager = (readlink('/run/current-system/systemd') // '') eq (readlink("$toplevel/systemd") // '');
print STDERR "activating the configuration...\n";
system("$toplevel/activate", $toplevel) == 0 or $status = 2;

# Units that activation scripts want looked at.
for my $unit (sort keys %{ { recall('activation-restart-list') } }) {
    my $new = parse_unit(unit_file($new_dir, $unit));
    if ($before->{$unit} && $new) { plan_modified_now($unit, $new) } else { plan_start($unit) }
}
plan_reload($_) for keys %{ { recall('activation-reload-list') } };
unlink "$lists/activation-restart-list", "$lists/activation-reload-list";

sub plan_modified_now {
    my ($unit, $new) = @_;
    flag($new, 'Service', 'X-ReloadIfChanged', 0) ? plan_reload($unit) : plan_restart($unit);
}

if (!$same_manager) {
    print STDERR "restarting systemd...\n";
    systemctl('daemon-reexec') or $status = 2;
}
systemctl('reset-failed');
systemctl('daemon-reload') or $status = 3;
systemctl('restart', 'sysinit-reactivation.target') or $status = 4;

# Reloading what is not active fails; what cannot reload is restarted.
for my $unit (keys %reload) {
    next if system('systemctl', '--quiet', 'is-active', '--', $unit) == 0;
    delete $reload{$unit};
}
delete $reload{$_} for keys %restart, keys %start;
if (%reload) {
    report('reloading', keys %reload);
    systemctl('reload', '--', sort keys %reload) or $status = 4;
}
unlink "$lists/reload-list";
if (%restart) {
    report('restarting', keys %restart);
    systemctl('restart', '--', sort keys %restart) or $status = 4;
}
unlink "$lists/restart-list";
report('starting', shown(keys %start));
systemctl('start', '--', sort keys %start) or $status = 4 if %start;
unlink "$lists/start-list";

# --- what came of it --------------------------------------------------------------------------------------------

my $after = active_units();
my @failed = grep {
    my $unit = $after->{$_};
    $unit->{active} eq 'failed' || ($unit->{sub} eq 'auto-restart' && `systemctl show --value --property=ExecMainStatus -- $_` !~ /^0?$/)
} sort keys %$after;
my @new = grep { !/\.(scope|device|target)$/ && !$before->{$_} && $after->{$_}{active} ne 'failed' } sort keys %$after;
report_new(@new);
if (@failed) {
    print STDERR "warning: the following units failed: ", names(@failed), "\n";
    systemctl('status', '--no-pager', '--full', '--', @failed);
    $status = 4;
}
syslog_line($status == 0 ? "finished switching to system configuration $toplevel" : "switching to system configuration $toplevel failed (status $status)");
exit $status;

sub report_new { print STDERR "the following new units were started: ", names(@_), "\n" if @_ }
sub syslog_line { system('logger', '-t', 'nixos', '--', $_[0]) }
