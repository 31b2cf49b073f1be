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
