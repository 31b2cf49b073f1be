{
  inputs.nixpkgs.url = "https://example.org/nixpkgs.tar.xz";

  outputs =
    { nixpkgs, ... }:
    {
      nixosConfigurations.host = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          ./firn
          ./host.nix
          ./modules/10000-NixNode-beta.nix
          ./modules/10001-NixNode-beta.nix
        ];
      };
    };
}
