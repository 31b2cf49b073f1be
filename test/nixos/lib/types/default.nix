# Option types, with nixpkgs' names, descriptions and ways of merging.
{ lib }:
{
  inherit (import ./make.nix { inherit lib; }) mkType mergeOne;
}
// import ./simple.nix { inherit lib; }
// import ./compound.nix { inherit lib; }
// import ./submodule.nix { inherit lib; }
