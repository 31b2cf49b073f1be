{
  description = "A small, strict stand-in for nixpkgs, for hosts on which nothing can be downloaded";

  outputs =
    _:
    let
      lib = import ./lib;
      userland = import ./pkgs/userland.nix { inherit lib; };
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      nixosSystem = import ./eval.nix { inherit lib userland; };
    in
    {
      lib = lib // {
        inherit nixosSystem;
      };
      legacyPackages = lib.genAttrs systems (system: import ./pkgs { inherit lib system userland; });
      packages = lib.genAttrs systems (system: {
        release0 =
          (nixosSystem {
            inherit system;
            modules = [ ./release0.nix ];
          }).config.system.build.toplevel;
      });
    };
}
