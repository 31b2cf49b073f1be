# The two files by which the API server decides whom it knows without a name, and what it writes down of requests.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.apiServer;
  json = pkgs.formats.json { };
in
{
  options.firn.kubernetes.apiServer = {
    auditPolicy = mkOption {
      inherit (json) type;
      default = {
        # Who asked for what, without what it was: requests and answers may hold secrets.
        omitStages = [ "RequestReceived" ];
        rules = [
          {
            level = "None";
            nonResourceURLs = [
              "/healthz*"
              "/livez*"
              "/readyz*"
              "/version"
            ];
          }
          # Nodes and components that look every few seconds would be all that there is to read.
          {
            level = "None";
            users = [ "system:kube-proxy" "firn:coredns" ];
            verbs = [ "get" "list" "watch" ];
          }
          {
            level = "None";
            resources = [
              {
                group = "coordination.k8s.io";
                resources = [ "leases" ];
              }
              {
                group = "";
                resources = [ "events" ];
              }
            ];
          }
          { level = "Metadata"; }
        ];
      };
      description = "Rules of audit.k8s.io/v1 Policy: what of requests is written to /var/log/kubernetes/audit.log.";
    };
    authenticationConfiguration = mkOption {
      inherit (json) type;
      default = { };
      example = { jwt = [ ]; };
      description = ''
        Fields of apiserver.config.k8s.io/v1 AuthenticationConfiguration, such as `jwt`. Nobody without a name is answered but
        on the paths of health checks.
      '';
    };
  };

  config = lib.mkIf kubernetes.isControlPlane {
    environment.etc."kubernetes/authentication.json".text = builtins.toJSON (
      cfg.authenticationConfiguration
      // {
        apiVersion = "apiserver.config.k8s.io/v1";
        kind = "AuthenticationConfiguration";
        anonymous = {
          enabled = true;
          # Balancers look at them, and have no certificate.
          conditions = map (path: { inherit path; }) [
            "/livez"
            "/readyz"
            "/healthz"
          ];
        };
      }
    );
    environment.etc."kubernetes/audit-policy.json".text = builtins.toJSON (
      cfg.auditPolicy
      // {
        apiVersion = "audit.k8s.io/v1";
        kind = "Policy";
      }
    );
    assertions = [
      {
        assertion = !(cfg.authenticationConfiguration ? anonymous);
        message = "firn.kubernetes.apiServer.authenticationConfiguration has anonymous, which firn.kubernetes decides. Remove it.";
      }
    ];
  };
}
