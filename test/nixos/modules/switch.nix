{
  config,
  lib,
  pkgs,
  ...
}:
{
  config.system.build.switchToConfiguration = pkgs.writeScript "switch-to-configuration" (
    ''
      #!${pkgs.perl}/bin/perl
      my $toplevel = '@out@';
      my $install_boot_loader = '${config.system.build.installBootLoader}';
      $ENV{PATH} = '${pkgs.coreutils}/bin:${pkgs.systemd}/bin:${pkgs.util-linux}/bin';
    ''
    # One program; a file for each thing that it does.
    + lib.concatMapStrings (part: builtins.readFile (../programs/switch + "/${part}.pl")) [
      "1-begin"
      "2-units"
      "3-plan"
      "4-run"
    ]
  );
}
