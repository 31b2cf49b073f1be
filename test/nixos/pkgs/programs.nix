# nixpkgs' package name -> the programs of it that the userland has; the first one is the package's main program.
{
  bash = [
    "bash"
    "sh"
  ];
  bashInteractive = [
    "bash"
    "sh"
  ];
  busybox = [ "busybox" ];
  coreutils = [
    "["
    "base64"
    "basename"
    "cat"
    "chgrp"
    "chmod"
    "chown"
    "comm"
    "cp"
    "cut"
    "date"
    "dd"
    "df"
    "dirname"
    "du"
    "echo"
    "env"
    "expr"
    "false"
    "head"
    "id"
    "install"
    "kill"
    "ln"
    "ls"
    "md5sum"
    "mkdir"
    "mkfifo"
    "mknod"
    "mktemp"
    "mv"
    "nproc"
    "od"
    "paste"
    "printenv"
    "printf"
    "pwd"
    "readlink"
    "realpath"
    "rm"
    "rmdir"
    "seq"
    "sha256sum"
    "sleep"
    "sort"
    "split"
    "stat"
    "stty"
    "sync"
    "tail"
    "tee"
    "test"
    "timeout"
    "touch"
    "tr"
    "true"
    "truncate"
    "uname"
    "uniq"
    "wc"
    "whoami"
    "yes"
  ];
  coredns = [ "coredns" ];
  dbus = [
    "dbus-daemon"
    "dbus-send"
  ];
  diffutils = [
    "cmp"
    "diff"
  ];
  findutils = [
    "find"
    "xargs"
  ];
  gawk = [ "awk" ];
  getent = [ "getent" ];
  gnugrep = [
    "grep"
    "egrep"
    "fgrep"
  ];
  gnused = [ "sed" ];
  gnutar = [ "tar" ];
  gzip = [
    "gzip"
    "gunzip"
    "zcat"
  ];
  haproxy = [ "haproxy" ];
  iproute2 = [
    "ip"
    "bridge"
    "ss"
  ];
  iptables = [
    "iptables"
    "ip6tables"
  ];
  iputils = [ "ping" ];
  jq = [ "jq" ];
  kmod = [
    "modprobe"
    "lsmod"
  ];
  less = [ "less" ];
  nettools = [ "hostname" ];
  nftables = [ "nft" ];
  nix = [
    "nix"
    "nix-build"
    "nix-channel"
    "nix-collect-garbage"
    "nix-copy-closure"
    "nix-daemon"
    "nix-env"
    "nix-hash"
    "nix-instantiate"
    "nix-prefetch-url"
    "nix-shell"
    "nix-store"
  ];
  openssh = [
    "ssh"
    "sshd"
    "ssh-keygen"
    "ssh-keyscan"
    "scp"
    "sftp"
  ];
  perl = [ "perl" ];
  procps = [
    "ps"
    "kill"
    "pgrep"
    "pkill"
    "sysctl"
    "free"
  ];
  runc = [ "runc" ];
  shadow = [
    "nologin"
    "useradd"
    "usermod"
    "su"
  ];
  socat = [ "socat" ];
  sudo = [
    "sudo"
    "visudo"
  ];
  systemd = [
    "systemctl"
    "journalctl"
    "systemd-run"
    "systemd-creds"
    "systemd-tmpfiles"
    "systemd-cat"
    "systemd-notify"
    "systemd-analyze"
    "systemd-cgls"
    "systemd-escape"
    "systemd-detect-virt"
    "systemd-socket-activate"
    "systemd-id128"
    "loginctl"
    "networkctl"
    "resolvectl"
    "busctl"
    "reboot"
    "poweroff"
    "halt"
    "shutdown"
  ];
  util-linux = [
    "mount"
    "umount"
    "mountpoint"
    "findmnt"
    "flock"
    "fsfreeze"
    "lsblk"
    "logger"
    "nsenter"
    "setsid"
    "setpriv"
    "unshare"
    "blkid"
  ];
  wireguard-go = [ "wireguard-go" ];
  wireguard-tools = [ "wg" ];
  xz = [ "xz" ];
  zstd = [ "zstd" ];
}
