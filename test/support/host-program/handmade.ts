import type { Tree } from '../../../controllers/lib/nix/tree.ts';

/** What a hand-made system is told from another by. */
export type HandmadeSystem = {
  name: string;
  /** Unit files by name; those that changed are restarted, all are enabled. */
  units?: Record<string, string>;
  /** More files of the toplevel, by path. */
  files?: Record<string, string>;
};

/**
 * switch-to-configuration in the fewest lines that do what the program relies on: `boot` writes the loader's file,
 * `test` stops what left, starts or restarts what came or changed, and says 4 where units fail.
 */
const switchScript = `#!/bin/sh
set -eu
me=$(dirname "$(dirname "$(readlink -f "$0")")")
case $1 in
boot)
  echo "boot $me" >>/var/lib/switches
  mkdir -p /boot/firn-loader
  echo "$me" >/boot/firn-loader/default.new
  sync /boot/firn-loader/default.new
  mv /boot/firn-loader/default.new /boot/firn-loader/default
  ;;
test)
  echo "test $me" >>/var/lib/switches
  [ ! -e "$me/says" ] || cat "$me/says" >&2
  [ ! -e "$me/slow" ] || sleep "$(cat "$me/slow")"
  [ ! -e "$me/fails" ] || exit 2
  old=$(readlink -f /run/current-system)
  for unit in "$old"/units/*; do
    name=\${unit##*/}
    [ -e "$unit" ] && [ ! -e "$me/units/$name" ] || continue
    systemctl disable --runtime --now "$name" || true
    rm -f "/run/systemd/system/$name"
  done
  changed=
  for unit in "$me"/units/*; do
    name=\${unit##*/}
    [ -e "$unit" ] || continue
    cmp -s "$unit" "/run/systemd/system/$name" || { cp "$unit" "/run/systemd/system/$name"; changed="$changed $name"; }
  done
  ln -sfn "$me" /run/current-system.new
  mv -T /run/current-system.new /run/current-system
  [ ! -e "$me/breaks" ] || exit 1
  [ ! -e "$me/user" ] || id "$(cat "$me/user")" >/dev/null 2>&1 || useradd --system "$(cat "$me/user")"
  [ ! -e /run/firn/program ] || sh /run/firn/program own
  systemctl daemon-reload
  status=0
  for name in $changed; do
    systemctl enable --runtime "$name"
    systemctl restart "$name" || status=4
  done
  exit $status
  ;;
esac
`;

const flake = (name: string): string => `{
  outputs = _: {
    nixosConfigurations.host.config.system.build.toplevel = derivation {
      name = "system-${name}";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "PATH=/usr/bin:/bin; cp -r \${./toplevel} $out; chmod -R u+w $out; mkdir -p $out/sw; ln -s /usr/bin $out/sw/bin; chmod 755 $out/bin/*; if [ -e $out/unbuildable ]; then cat $out/unbuildable; exit 1; fi" ];
    };
  };
}
`;

/** The bundle of a hand-made system: a flake whose toplevel Nix builds in a tenth of a second. */
export function handmadeBundle({ name, units = {}, files = {} }: HandmadeSystem): Tree {
  return new Map([
    ['flake.nix', flake(name)],
    ['toplevel/bin/switch-to-configuration', switchScript],
    ['toplevel/nixos-version', `26.05.${name}\n`],
    ...Object.entries(units).map(([unit, text]) => [`toplevel/units/${unit}`, text] as const),
    ...Object.entries(files).map(([path, text]) => [`toplevel/${path}`, text] as const),
  ]);
}

/** A shell script that makes a Debian host look as if a hand-made system `zero` was installed and booted on it. */
export const handmadeRelease0 = `set -eu
mkdir -p /tmp/zero/bin /tmp/zero/sw
cat >/tmp/zero/bin/switch-to-configuration <<'SCRIPT'
${switchScript}SCRIPT
chmod 755 /tmp/zero/bin/switch-to-configuration
ln -s /usr/bin /tmp/zero/sw/bin
echo 26.05.zero >/tmp/zero/nixos-version
zero=$(nix-store --add /tmp/zero)
nix-env -p /nix/var/nix/profiles/system --set "$zero"
"$zero/bin/switch-to-configuration" boot
cat >/usr/local/sbin/handmade-boot <<'SCRIPT'
#!/bin/sh
loader=/boot/firn-loader
system=$(cat $loader/oneshot 2>/dev/null || cat $loader/default)
rm -f $loader/oneshot
ln -sfn "$system" /run/current-system
ln -sfn "$system" /run/booted-system
[ ! -e "$system/asks" ] || /bin/sh /var/lib/firn/host boot
mkdir -p /run/systemd/system
for unit in "$system"/units/*; do
  [ -e "$unit" ] || continue
  cp "$unit" /run/systemd/system/
  systemctl enable --runtime "\${unit##*/}"
done
systemctl daemon-reload
for unit in "$system"/units/*; do
  [ ! -e "$unit" ] || systemctl --no-block start "\${unit##*/}"
done
SCRIPT
chmod 755 /usr/local/sbin/handmade-boot
cat >/etc/systemd/system/handmade-boot.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/handmade-boot
[Install]
WantedBy=sysinit.target
UNIT
systemctl daemon-reload
systemctl enable --now --quiet handmade-boot.service
`;
