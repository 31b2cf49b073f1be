# Kernel modules and parameters that pods and services stand on.
{ config, lib, ... }:
let
  cfg = config.firn.kubernetes;
  # Weaker than what anybody writes plainly; equal definitions of one key at equal priority are refused.
  weak = lib.mkOverride 900;
in
{
  config = lib.mkIf cfg.runsPods {
    boot.kernelModules = [
      "nf_conntrack"
      "overlay"
    ]
    ++ lib.optional cfg.bridged "br_netfilter";
    boot.kernel.sysctl = lib.mkMerge [
      {
        # What the kubelet would otherwise set by itself, behind everybody's back (`protectKernelDefaults`).
        "vm.overcommit_memory" = weak 1;
        "kernel.panic" = weak 10;
        "kernel.panic_on_oops" = weak 1;
      }
      (lib.mkIf cfg.bridged {
        # A pod that reaches another of the same bridge through a service: the answer must pass the translation, too.
        "net.bridge.bridge-nf-call-iptables" = weak 1;
        "net.bridge.bridge-nf-call-ip6tables" = weak 1;
      })
    ];
  };
}
