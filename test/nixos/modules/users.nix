# users.users and users.groups, written to /etc/passwd, group and shadow at activation by programs/update-users.pl.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.users;
  inherit (import ./users-options.nix { inherit lib pkgs; }) user group;
  users = builtins.filter (u: u.enable) (builtins.attrValues cfg.users);
  shellOf =
    u:
    if u.shell == null then
      "${pkgs.shadow}/bin/nologin"
    else if lib.isDerivation u.shell then
      "${u.shell}${u.shell.shellPath}"
    else
      toString u.shell;
  orDash = x: if x == null then "-" else toString x;
  membersOf = g: lib.unique (g.members ++ map (u: u.name) (builtins.filter (u: builtins.elem g.name u.extraGroups) users));
  # One line each; no field can hold a colon or a newline.
  spec = pkgs.writeText "users-groups" (
    lib.concatMapStrings (g: "group:${g.name}:${orDash g.gid}:${lib.concatStringsSep "," (membersOf g)}\n") (
      builtins.attrValues cfg.groups
    )
    + lib.concatMapStrings (
      u:
      "user:${u.name}:${orDash u.uid}:${u.group}:${u.description}:${toString u.home}:${shellOf u}:${lib.boolToString u.createHome}:${u.homeMode}:${lib.boolToString u.isNormalUser}:${orDash u.hashedPassword}\n"
    ) users
  );
  exempt = [
    "root"
    "nobody"
  ];
in
{
  options.users = {
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
      description = "User accounts.";
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
      description = "Groups.";
    };
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether accounts may be changed by hand. /etc is new at every boot here, so it is never for long.";
    };
  };
  config = {
    assertions = lib.concatMap (u: [
      {
        assertion = builtins.elem u.name exempt || u.isSystemUser != u.isNormalUser;
        message = "Exactly one of users.users.${u.name}.isSystemUser and users.users.${u.name}.isNormalUser must be set.";
      }
      {
        assertion = u.group != "";
        message = "users.users.${u.name}.group is unset. This used to default to nogroup, but this is unsafe. For example you can create a group for this user with:\nusers.users.${u.name}.group = \"${u.name}\";\nusers.groups.${u.name} = {};";
      }
      {
        assertion = u.group == "" || cfg.groups ? ${u.group};
        message = "users.users.${u.name}.group is set to ${u.group}, but there is no such group.";
      }
    ]) users;
    users.users.root = {
      uid = 0;
      description = "System administrator";
      home = "/root";
      shell = lib.mkDefault pkgs.bashInteractive;
      group = "root";
    };
    users.users.nobody = {
      uid = 65534;
      description = "Unprivileged account (don't use!)";
      group = "nogroup";
    };
    users.groups = lib.mapAttrs (_: gid: { inherit gid; }) {
      root = 0;
      wheel = 1;
      kmem = 2;
      tty = 3;
      disk = 6;
      audio = 17;
      floppy = 18;
      uucp = 19;
      lp = 20;
      cdrom = 24;
      tape = 25;
      video = 26;
      dialout = 27;
      utmp = 29;
      adm = 55;
      systemd-journal = 62;
      keys = 96;
      users = 100;
      input = 174;
      kvm = 302;
      render = 303;
      sgx = 304;
      shadow = 318;
      nogroup = 65534;
    };
    system.activationScripts.users.text = "${pkgs.perl}/bin/perl ${../programs/update-users.pl} ${spec}";
  };
}
