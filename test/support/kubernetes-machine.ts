/** What machines of tests need of Kubernetes and no other host does: cgroups of version 1, a shared kernel, no registry. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImage } from './images.ts';

export const testImage = 'localhost/firn-test:1';

/** Fields of KubeletConfiguration. */
export const kubeletSettings = {
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  enforceNodeAllocatable: [],
  localStorageCapacityIsolation: false,
  // Limits of swap need cgroups of version 2.
  memorySwap: {},
  evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
};

const imageFile = 'srv/firn-test-image.tar';

/** Puts the one image that there is on a machine that is not switched on yet. */
export async function putImage(root: string): Promise<void> {
  const busybox = readFileSync(join(root, 'usr/lib/firn-loader/busybox'));
  mkdirSync(join(root, 'srv'), { recursive: true });
  writeFileSync(join(root, imageFile), await busyboxImage(testImage, busybox));
}

/** Definitions of a NixOS module with the arguments `lib` and `pkgs`. */
export const machine = `
  firn.kubernetes.pauseImage = "${testImage}";
  firn.kubernetes.kubeProxy.settings.conntrack = { maxPerCore = 0; min = 0; };
  virtualisation.containerd.settings.plugins."io.containerd.grpc.v1.cri" = {
    restrict_oom_score_adj = true;
    disable_apparmor = true;
    containerd.runtimes.runc.options.SystemdCgroup = false;
  };
  systemd.services.test-machine = {
    wantedBy = [ "sysinit.target" ];
    before = [ "containerd.service" "kubelet.service" ];
    unitConfig.DefaultDependencies = false;
    path = [ pkgs.util-linux ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
    script = ''
      for folder in /sys/fs/cgroup/*; do
        if mountpoint -q "$folder"; then mount -o remount,bind,rw "$folder"; fi
      done
      mkdir -p /run/test-machine
      for parameter in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
        file=''\${parameter%%=*}
        echo "''\${parameter##*=}" >"/run/test-machine/''\${file##*/}"
        mount --bind "/run/test-machine/''\${file##*/}" "/proc/sys/$file"
      done
    '';
  };
  systemd.services.test-image = {
    wantedBy = [ "multi-user.target" ];
    requires = [ "containerd.service" ];
    after = [ "containerd.service" ];
    path = [ pkgs.containerd ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; };
    script = "ctr -n k8s.io images import /${imageFile}";
  };
`;
