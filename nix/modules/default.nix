# All of Firn's modules. Importing them changes nothing before one of their `enable` options is set.
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
    ./network.nix
    ./mesh.nix
    ./routes.nix
    ./firewall.nix
    ./dns.nix
    ./kubernetes-users.nix
    ./kubernetes
  ];
}
