{
  inputs.nixpkgs.url = "git+https://git.example.org/nixpkgs.git?ref=nixos-25.11";

  outputs =
    { nixpkgs, ... }:
    {
      nixosConfigurations.host = nixpkgs.lib.nixosSystem {
        system = "aarch64-linux";
        modules = [
          ./firn
          ./host.nix
          ./modules/00005-NixModule-first.nix
          ./modules/00100-NixModule-base.nix
          ./modules/10000-NixNode-alpha.nix
          ./modules/10001-NixNode-alpha-hardware-configuration.nix
        ];
      };
    };
}
