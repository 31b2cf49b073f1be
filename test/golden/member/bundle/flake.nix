{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  inputs.kubernetes-1-37.url = "github:NixOS/nixpkgs/nixos-26.11";

  outputs =
    { nixpkgs, kubernetes-1-37, ... }:
    {
      nixosConfigurations.host = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          ./firn
          ./host.nix
          ./modules/10000-NixNode-alpha.nix
          {
            firn.kubernetes.etcd.package = kubernetes-1-37.legacyPackages."x86_64-linux".etcd;
            firn.kubernetes.packages.apiServer = kubernetes-1-37.legacyPackages."x86_64-linux".kubernetes;
            firn.kubernetes.packages.controllerManager = kubernetes-1-37.legacyPackages."x86_64-linux".kubernetes;
            firn.kubernetes.packages.scheduler = kubernetes-1-37.legacyPackages."x86_64-linux".kubernetes;
          }
        ];
      };
    };
}
