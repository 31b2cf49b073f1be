{ config, lib, ... }:
{
  options.nixpkgs = {
    hostPlatform = lib.mkOption {
      type = lib.types.either lib.types.str lib.types.attrs;
      apply = x: if builtins.isString x then { system = x; } else x;
      default = config.nixpkgs.system;
      description = "The platform that the system runs on.";
    };
    system = lib.mkOption {
      type = lib.types.str;
      default = throw "Neither nixpkgs.hostPlatform nor the argument `system' of nixosSystem is set.";
      description = "The same, as older configurations say it.";
    };
  };
}
