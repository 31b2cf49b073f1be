# update-users.pl <spec>: write /etc/passwd, group and shadow. The spec's lines are described in modules/users.nix.
# Numbers that were chosen here are kept in /var/lib/nixos, so that files keep their owners.
use strict;
use warnings;

my ($spec) = @ARGV;
my $state = '/var/lib/nixos';

sub read_lines {
    my ($file) = @_;
    open(my $handle, '<', $file) or return ();
    chomp(my @lines = <$handle>);
    return @lines;
}

sub write_file {
    my ($file, $mode, @lines) = @_;
    open(my $out, '>', "$file.tmp") or die "cannot write $file.tmp: $!\n";
    chmod $mode, "$file.tmp";
    print $out "$_\n" for @lines;
    close $out or die "cannot write $file.tmp: $!\n";
    rename "$file.tmp", $file or die "cannot make $file: $!\n";
}

# Name -> number, with what was declared first, then what was chosen before, then the next that is free.
sub numbers {
    my ($kind, $entries) = @_;
    my %kept = map { split /:/, $_, 2 } read_lines("$state/$kind-map");
    my (%number, %used);
    for my $entry (@$entries) {
        next if $entry->{id} eq '-';
        $number{ $entry->{name} } = $entry->{id};
        $used{ $entry->{id} } = 1;
    }
    $used{$_} = 1 for values %kept;
    for my $entry (grep { $_->{id} eq '-' } @$entries) {
        my $name = $entry->{name};
        if (!defined $kept{$name}) {
            my @range = $entry->{person} ? (1000 .. 29999) : reverse(400 .. 999);
            my ($free) = grep { !$used{$_} } @range;
            die "no free number for $name\n" unless defined $free;
            $kept{$name} = $free;
            $used{$free} = 1;
        }
        $number{$name} = $kept{$name};
    }
    write_file("$state/$kind-map", 0644, map { "$_:$kept{$_}" } sort keys %kept);
    return \%number;
}

my (@groups, @users);
for my $line (read_lines($spec)) {
    my ($kind, @f) = split /:/, $line, -1;
    if ($kind eq 'group') { push @groups, { name => $f[0], id => $f[1], members => $f[2] } }
    else {
        push @users, {
            name => $f[0], id => $f[1], group => $f[2], gecos => $f[3], home => $f[4], shell => $f[5],
            create => $f[6] eq 'true', mode => $f[7], person => $f[8] eq 'true', password => $f[9],
        };
    }
}

mkdir $state, 0755;
my $gid = numbers('gid', \@groups);
my $uid = numbers('uid', \@users);
my %password = map { (split /:/)[0, 1] } read_lines('/etc/shadow');

write_file('/etc/group', 0644, map { "$_->{name}:x:$gid->{$_->{name}}:$_->{members}" } @groups);
write_file('/etc/passwd', 0644, map { "$_->{name}:x:$uid->{$_->{name}}:$gid->{$_->{group}}:$_->{gecos}:$_->{home}:$_->{shell}" } @users);
write_file('/etc/shadow', 0640, map {
    my $hash = $_->{password} ne '-' ? $_->{password} : $password{ $_->{name} } // '!';
    "$_->{name}:$hash:1::::::"
} @users);
chown 0, $gid->{shadow} // 0, '/etc/shadow';

for my $user (grep { $_->{create} } @users) {
    next if -e $user->{home};
    my $path = '';
    for my $part (grep { $_ ne '' } split m{/}, $user->{home}) {
        $path .= "/$part";
        mkdir $path, 0755 unless -e $path;
    }
    chmod oct($user->{mode}), $user->{home};
    chown $uid->{ $user->{name} }, $gid->{ $user->{group} }, $user->{home};
}
