{ config, pkgs, ... }:
{
  config.system.build.switchToConfiguration = pkgs.writeScript "switch-to-configuration" (
    ''
      #!${pkgs.perl}/bin/perl
      my $toplevel = '@out@';
      my $install_boot_loader = '${config.system.build.installBootLoader}';
      $ENV{PATH} = '${pkgs.coreutils}/bin:${pkgs.systemd}/bin:${pkgs.util-linux}/bin';
    ''
    + builtins.readFile ../programs/switch-to-configuration.pl
  );
}
