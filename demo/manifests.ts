/** What the user of the tour writes. Shaped like docs/examples, with the addresses and keys of the hosts that were started. */
import { stringify } from 'yaml';
import type { DemoHost } from './fleet.ts';

export const namespace = 'fleet';
/** Where the tour's modules leave a file on the hosts, and what is delivered to them. */
export const greetingFile = '/etc/greeting';
export const licenceFile = '/run/keys/licence';
/** A comment in the module that cuts a host off. */
export const cutOffMark = '# as a guide to hardening said';

const apiVersion = 'firn.dev/v1alpha1';
const yaml = (...objects: object[]): string =>
  objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');

/** Shown without its content. */
export const deployKey = (privateKey: string): string =>
  yaml(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'deploy-key', namespace },
      type: 'kubernetes.io/ssh-auth',
      stringData: { 'ssh-privatekey': privateKey },
    },
  );

export const licence = (content: string): string =>
  yaml({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'licence', namespace },
    stringData: { 'licence.txt': content },
  });

/** What is this machine's alone. */
const hardware = `{
  fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
  boot.loader.systemd-boot.enable = true;
  networking = { useNetworkd = true; useDHCP = false; };
  nix.settings.sandbox = false;
}
`;

export const node = ({ name, address, port, hostKey, nixpkgs }: DemoHost): string =>
  yaml({
    apiVersion,
    kind: 'NixNode',
    metadata: { name, namespace, labels: { site: 'here', host: name } },
    spec: {
      ssh: { host: address, port, user: 'root', keyRef: { name: 'deploy-key' }, hostKeys: [hostKey] },
      stateVersion: '26.05',
      nixpkgs: { url: nixpkgs },
      modules: [{ inline: hardware }],
      files: [{ path: licenceFile, secretRef: { name: 'licence', key: 'licence.txt' } }],
      deploy: { confirmWithin: '20s' },
    },
  });

const module = (name: string, spec: object): string =>
  yaml({ apiVersion, kind: 'NixModule', metadata: { name, namespace }, spec });

/** For every host of the site. */
export const base = (greeting: string): string =>
  module('base', {
    nodeSelector: { matchLabels: { site: 'here' } },
    inline: `{ ... }: {\n  environment.etc."greeting".text = "${greeting}\\n";\n}\n`,
  });

/** Nothing fails on the host: only who wants to come in notices. */
export const cutOff = (host: string): string =>
  module('cut-off', {
    nodeSelector: { matchLabels: { host } },
    inline: `{ ... }: {\n  services.openssh.extraConfig = "ListenAddress 127.0.0.1"; ${cutOffMark}\n}\n`,
  });
