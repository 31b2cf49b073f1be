# All of Firn's modules. Importing them changes nothing before `firn.host.enable` is set.
{
  imports = [
    ./host.nix
    ./ssh.nix
    ./sudo.nix
    ./nix.nix
    ./secrets.nix
    ./file-owners.nix
    ./formats.nix
    ./preflight.nix
  ];
}
