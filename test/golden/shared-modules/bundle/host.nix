{
  firn = {
    host = {
      enable = true;
      ssh = {
        authorizedKeys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f firn" ];
        port = 2222;
        user = "deploy";
      };
    };
  };
  networking = {
    hostName = "alpha";
  };
  system = {
    stateVersion = "25.11";
  };
}
