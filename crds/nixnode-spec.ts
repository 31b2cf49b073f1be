/** What users say of a host: how to log in, what it is made of, and how changes reach it. */
import { z } from 'zod';
import { address, endpoint, hostOrAddress, port } from './address.ts';
import { integer, labelKey, labels, labelValue, nameReference } from './common.ts';
import { deliveredFiles, nixModuleSource } from './content.ts';
import { duration } from './duration.ts';
import { nixpkgs } from './nixpkgs.ts';
import { atomicList, matches, setList, text, withRules, withTransitions } from './rules.ts';

// --- ssh ---

const hostKey = () =>
  withRules(text({ min: 1, max: 2048 }), [
    matches(
      // `...` is what documentation writes for the rest of a key; a key that is not base64 is told apart on connecting.
      /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=.]{4,}( [ -~]*)?$/,
      'must be a public host key such as "ssh-ed25519 AAAA…", without a host name before it',
    ),
  ]);

const loginUser = () =>
  withRules(text({ min: 1, max: 31 }), [
    matches(/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/, 'must be the name of a user'),
  ]);

const login = {
  host: hostOrAddress().describe('Host name or address to connect to.'),
  port: port().default(22).describe('Port of its SSH server.'),
  user: loginUser().default('root').describe('Who logs in. Anyone but root needs sudo without a password.'),
  keyRef: nameReference('Secret').describe(
    'A Secret of type kubernetes.io/ssh-auth: the private key is in its key `ssh-privatekey`.',
  ),
};

const jump = z.object({
  ...login,
  hostKeys: atomicList(hostKey(), 16)
    .min(1)
    .describe('Public host keys of the jump host; any other key is refused.'),
});

const ssh = withRules(
  z.object({
    ...login,
    hostKeys: atomicList(hostKey(), 16)
      .default([])
      .describe('Public host keys of the host; any other key is refused.'),
    hostKeyPolicy: z
      .enum(['Strict', 'TrustOnFirstUse'])
      .default('Strict')
      .describe(
        '`Strict` accepts what `hostKeys` lists. `TrustOnFirstUse`, instead of `hostKeys`, pins the first key seen in `status.ssh.hostKeys` and never replaces it.',
      ),
    jump: jump.optional().describe('A host to go through.'),
  }),
  [
    {
      cel: "(self.hostKeyPolicy == 'Strict') == (self.hostKeys.size() > 0)",
      message:
        'hostKeyPolicy Strict needs hostKeys (ssh-keyscan prints them; compare them at the console); TrustOnFirstUse takes none',
      fieldPath: '.hostKeys',
      test: ({ hostKeyPolicy, hostKeys }) => (hostKeyPolicy === 'Strict') === hostKeys.length > 0,
    },
  ],
);

// --- deploy ---

const deploy = z
  .object({
    mode: z
      .enum(['Apply', 'Paused'])
      .default('Apply')
      .describe('`Apply` makes the host what the objects say; `Paused` only looks at it.'),
    approve: text({ max: 0 }).optional().describe('Reserved for planned changes; empty.'),
    confirmWithin: duration({ min: '10s', max: '1h' })
      .default('90s')
      .describe('The host takes a change back by itself if it was not confirmed in this time.'),
    reboot: z
      .enum(['Never', 'WhenRequired'])
      .default('Never')
      .describe('What to do with a change that only a reboot can make: `Never` says so in status.'),
    buildOn: z.enum(['Target']).default('Target').describe('Where the system is built.'),
    allow: setList(z.enum(['WouldNotBoot', 'WouldLoseNetwork', 'RebootUnprotected']), 3)
      .default([])
      .describe('Findings of the preflight that are accepted, where otherwise nothing would be deployed.'),
  })
  .prefault({});

// --- its place in a cluster ---

export const role = () => z.enum(['control-plane', 'worker', 'frontend']);
export type Role = z.output<ReturnType<typeof role>>;

const taint = z.object({
  key: labelKey().describe('The key of the taint.'),
  value: labelValue().default('').describe('Its value.'),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).describe('What it does to pods.'),
});

const kubernetes = z
  .object({
    labels: labels().default({}).describe('Labels of the Node object.'),
    taints: atomicList(taint, 32).default([]).describe('Taints of the Node object.'),
  })
  .prefault({});

const mesh = z
  .object({
    endpoint: endpoint()
      .optional()
      .describe('Where other nodes dial it: host:port. Absent: `ssh.host` and the port of the mesh.'),
    behindNAT: z
      .boolean()
      .default(false)
      .describe('Whether it can dial others but cannot be dialled; keepalives hold the way back open.'),
  })
  .prefault({});

// --- spec ---

export const nixNodeSpec = withTransitions(
  withRules(
    z.object({
      ssh: ssh.describe('How to log in.'),
      addresses: setList(address(), 16)
        .default([])
        .describe('Addresses by which other nodes reach this one. Empty: `ssh.host`, if the host has it.'),
      system: withRules(text({ min: 1, max: 64 }), [
        matches(/^[a-z0-9_]+-linux$/, 'must be a system as Nix names it, such as x86_64-linux'),
      ])
        .optional()
        .describe('The platform. Absent: what the host says it is.'),
      stateVersion: withTransitions(
        withRules(text({ min: 5, max: 5 }), [
          matches(/^[0-9]{2}[.](05|11)$/, 'must be a release of NixOS, quoted, such as "26.05"'),
        ]),
        [
          {
            cel: 'self == oldSelf',
            message: 'stateVersion is immutable: it says with which release the data of the host began',
          },
        ],
      ).describe('The NixOS release that the host was first installed with. Immutable.'),
      nixpkgs: nixpkgs().optional().describe('Where the packages come from.'),
      modules: atomicList(nixModuleSource, 64)
        .default([])
        .describe('NixOS modules of this host alone, such as its disks.'),
      files: deliveredFiles(),
      deploy: deploy.describe('How changes reach the host.'),
      deletionPolicy: z
        .enum(['Orphan', 'Reset'])
        .optional()
        .describe(
          'What becomes of the host when the object is deleted: `Orphan` leaves it as it is, `Reset` goes back to what ran before Firn. Absent: what its cluster says, or else `Orphan`.',
        ),
      deletionTimeout: duration({ min: '10s', max: '720h' })
        .default('15m')
        .describe('How long a host that does not answer holds up the deletion of the object.'),
      clusterRef: nameReference('NixCluster')
        .optional()
        .describe('The cluster that the host is a member of. Immutable.'),
      roles: setList(role(), 3).default([]).describe('What the host is in its cluster; combined at will.'),
      index: integer(1, 65_535)
        .optional()
        .describe('The number of the host in its cluster. Absent: the lowest free one. Immutable once set.'),
      mesh: mesh.describe("How the host takes part in its cluster's mesh."),
      kubernetes: kubernetes.describe('What the Node object of the host carries.'),
    }),
    [
      {
        cel: 'has(self.nixpkgs) || has(self.clusterRef)',
        message:
          'nixpkgs is required where there is no clusterRef, such as {url: "github:NixOS/nixpkgs/nixos-26.05"}',
        test: (value) => value.nixpkgs !== undefined || value.clusterRef !== undefined,
      },
      {
        cel: 'has(self.clusterRef) == (self.roles.size() > 0)',
        message: 'clusterRef and roles are given together: what is the host in its cluster?',
        fieldPath: '.roles',
        test: ({ clusterRef, roles }) => (clusterRef !== undefined) === roles.length > 0,
      },
    ],
  ),
  [
    {
      cel: '!has(oldSelf.index) || (has(self.index) && self.index == oldSelf.index)',
      message: 'index is immutable once set',
    },
    {
      cel: 'has(self.clusterRef) == has(oldSelf.clusterRef) && (!has(self.clusterRef) || self.clusterRef.name == oldSelf.clusterRef.name)',
      message: 'clusterRef is immutable: delete the NixNode and create it in the other cluster',
    },
  ],
);

export type NixNodeSpec = z.output<typeof nixNodeSpec>;
