# `pkgs`: programs of the userland under nixpkgs' package names. An unknown package is an error, as there.
{
  lib,
  system,
  userland,
}:
let
  build = import ./build.nix { inherit lib system userland; };
  wrapFrom =
    folder: version: pname: names:
    build.runCommand "${pname}-${version}" { meta.mainProgram = builtins.head names; } ''
      mkdir -p "$out/bin"
      for name in ${lib.escapeShellArgs names}; do
        [ -e "${folder}/bin/$name" ] || [ -L "${folder}/bin/$name" ] || { echo "${folder} has no $name" >&2; exit 1; }
        ln -s "${folder}/bin/$name" "$out/bin/$name"
      done
    ''
    // {
      inherit pname version;
      shellPath = "/bin/${builtins.head names}";
    };
  programsIn = import ./store-path.nix { inherit lib; };
  kubernetesPrograms = programsIn ../kubernetes-programs "kubernetes-programs";
  # A later release of nixpkgs, as the machine has one for upgrades: its Kubernetes is the next one, all else is the same.
  isNext = builtins.pathExists ../kubernetes-programs-next;
  next.kubernetes =
    let
      package = (import ./kubernetes.nix).kubernetes;
    in
    wrapFrom (programsIn ../kubernetes-programs-next "kubernetes-programs-next") package.nextVersion "kubernetes" package.programs;
  # Kernel and initrd are files that nothing boots; that they differ is what a switch and a reboot look at.
  kernel =
    version:
    build.runCommand "linux-${version}" { } ''
      mkdir "$out"
      echo ${version} >"$out/bzImage"
    ''
    // {
      inherit version;
      modDirVersion = version;
    };
in
builtins.mapAttrs (wrapFrom userland "0") (import ./programs.nix)
// builtins.mapAttrs (pname: package: wrapFrom kubernetesPrograms package.version pname package.programs) (import ./kubernetes.nix)
// lib.optionalAttrs isNext next
// build
// {
  inherit lib system userland;
  # Small programs that people's modules like to install.
  hello = build.writeShellScriptBin "hello" "echo 'Hello, world!'";
  htop = build.writeShellScriptBin "htop" ''exec ${userland}/bin/top "$@"'';
  stdenv.hostPlatform = {
    inherit system;
    isLinux = true;
    isx86_64 = system == "x86_64-linux";
    isAarch64 = system == "aarch64-linux";
  };
  hostPlatform.system = system;
  formats = import ./formats.nix { inherit lib build; };
  linuxPackages.kernel = kernel "6.12.0";
  linuxPackages_latest.kernel = kernel "6.18.0";
}
