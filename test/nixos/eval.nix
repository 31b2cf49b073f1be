# nixpkgs' `lib.nixosSystem`: a configuration from modules.
{
  lib,
  userland ? import ./pkgs/userland.nix { inherit lib; },
}:
{
  modules,
  system ? null,
  specialArgs ? { },
}:
let
  pkgsModule =
    { config, ... }:
    {
      _file = ./eval.nix;
      _module.args.pkgs = import ./pkgs {
        inherit lib userland;
        system = config.nixpkgs.hostPlatform.system or config.nixpkgs.hostPlatform;
      };
    };
in
lib.evalModules {
    modules = [
      ./modules
      pkgsModule
      {
        _file = ./eval.nix;
        nixpkgs.system = lib.mkIf (system != null) system;
      }
    ]
    ++ modules;
    specialArgs = {
      modulesPath = toString ./modules;
    }
    // specialArgs;
  }
