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
