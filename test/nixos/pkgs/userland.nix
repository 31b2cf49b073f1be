# The store path with Debian's programs; README.md, "What the machine gives".
{ lib }:
import ./store-path.nix { inherit lib; } ../userland "debian-userland"
