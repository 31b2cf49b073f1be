{
  description = "NixOS modules of Firn: what a host that is deployed from outside needs to stay reachable";

  # No inputs: the modules take `lib` and `pkgs` from whoever builds the system.
  outputs = _: {
    nixosModules.default = ./modules;
  };
}
