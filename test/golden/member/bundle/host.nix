{
  firn = {
    dns = {
      domain = "k8s.internal";
      enable = true;
    };
    host = {
      enable = true;
      ssh = {
        authorizedKeys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f firn" ];
        port = 22;
        user = "root";
      };
    };
    kubernetes = {
      roles = [ "control-plane" "worker" ];
    };
    mesh = {
      enable = true;
      interface = "wgkube";
      listenPort = 51820;
    };
    network = {
      allowInbound = [ ];
      bridge = true;
      enable = true;
      masquerade = true;
      nodeAddresses = [ "fd88:a::1/32" "10.88.10.1/24" ];
      podNetworks = [ "fd88::/16" "10.88.0.0/16" ];
      routing = "Mesh";
      serviceNetworks = [ "10.88.0.0/24" ];
    };
  };
  networking = {
    hostName = "alpha";
  };
  system = {
    stateVersion = "26.05";
  };
}
