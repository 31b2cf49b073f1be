# setup-etc.pl <etc derivation>: make /etc what the system says, file by file. Files that no system made stay.
use strict;
use warnings;

my ($drv) = @ARGV;
my $static = "$drv/etc";
my $record = '/etc/.clean';    # copies that we made, to remove when no system wants them any more

sub replace_link {
    my ($target, $link) = @_;
    my $temporary = "$link.tmp";
    unlink $temporary;
    symlink($target, $temporary) or die "cannot make $temporary: $!\n";
    rename($temporary, $link) or die "cannot make $link: $!\n";
}

sub make_parents {
    my ($path) = @_;
    my $so_far = '/etc';
    my @parts = split m{/}, $path;
    pop @parts;
    for my $part (@parts) {
        $so_far .= "/$part";
        unlink $so_far if -l $so_far;    # was a link to a directory of the former system
        mkdir $so_far, 0755 unless -d $so_far;
    }
}

# Links into /etc/static that lead nowhere now.
sub sweep {
    my ($dir) = @_;
    opendir(my $handle, $dir) or return;
    for my $name (grep { $_ ne '.' && $_ ne '..' } readdir $handle) {
        my $path = "$dir/$name";
        if (-l $path) {
            my $below = substr $path, length '/etc/';
            unlink $path if readlink($path) eq "/etc/static/$below" && !-l "$static/$below" && !-e "$static/$below";
        } elsif (-d $path && $path ne '/etc/static') {
            sweep($path);
        }
    }
    closedir $handle;
}

sub read_lines {
    my ($file) = @_;
    open(my $handle, '<', $file) or return ();
    chomp(my @lines = <$handle>);
    return @lines;
}

my %copies = map { my ($mode, $user, $group, $path) = split /\t/, $_, 4; $path => [$mode, $user, $group] } read_lines("$drv/copies");

sub place {
    my ($dir, $below) = @_;
    opendir(my $handle, $dir) or die "cannot read $dir: $!\n";
    for my $name (sort grep { $_ ne '.' && $_ ne '..' } readdir $handle) {
        my $path = $below eq '' ? $name : "$below/$name";
        if (!-l "$dir/$name" && -d "$dir/$name") { place("$dir/$name", $path); next }
        make_parents($path);
        if ($copies{$path}) { copy($path) }
        elsif (!-l "/etc/$path" && -d "/etc/$path") { warn "warning: /etc/$path is a directory that no system made; left as it is\n" }
        else { replace_link("/etc/static/$path", "/etc/$path") }
    }
    closedir $handle;
}

sub id_of {
    my ($name, $lookup) = @_;
    return $1 if $name =~ /^\+(\d+)$/;
    my $id = $lookup->($name);
    die "no such user or group: $name\n" unless defined $id;
    return $id;
}

sub copy {
    my ($path) = @_;
    my ($mode, $user, $group) = @{ $copies{$path} };
    open(my $in, '<', "$static/$path") or die "cannot read $static/$path: $!\n";
    my $content = do { local $/; <$in> };
    my $temporary = "/etc/$path.tmp";
    open(my $out, '>', $temporary) or die "cannot write $temporary: $!\n";
    print $out $content // '';
    close $out or die "cannot write $temporary: $!\n";
    chown id_of($user, sub { scalar getpwnam $_[0] }), id_of($group, sub { scalar getgrnam $_[0] }), $temporary;
    chmod oct($mode), $temporary;
    rename $temporary, "/etc/$path" or die "cannot make /etc/$path: $!\n";
}

print "setting up /etc...\n";
replace_link($static, '/etc/static');
sweep('/etc');
place($static, '');
for my $path (read_lines($record)) { unlink "/etc/$path" if !$copies{$path} && !-l "/etc/$path" && !-e "$static/$path" }
open(my $out, '>', $record) or die "cannot write $record: $!\n";
print $out "$_\n" for sort keys %copies;
close $out;
