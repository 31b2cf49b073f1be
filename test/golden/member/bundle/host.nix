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
      apiServer = {
        encryptSecrets = true;
        extraArgs = { };
        openFirewall = true;
      };
      cni = "Bridge";
      compactionInterval = "5m";
      controllerManager = {
        extraArgs = { };
      };
      datastore = "Etcd";
      enable = true;
      etcd = {
        clusterFile = "/run/firn/current/data/etcd-cluster";
        transport = "Socket";
      };
      kubeProxy = {
        nodePortAddresses = [ ];
        openNodePorts = false;
      };
      kubelet = {
        labels = { };
        settings = { };
        taints = [ ];
      };
      nodeName = "alpha";
      podSubnets = [ "fd88:a::/32" "10.88.10.0/24" ];
      roles = [ "control-plane" "worker" ];
      runtime = "CRIO";
      scheduler = {
        extraArgs = { };
      };
      versions = {
        apiServer = "1.37";
        controllerManager = "1.37";
        kubeProxy = "1.36";
        kubelet = "1.36";
        scheduler = "1.37";
      };
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
