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
