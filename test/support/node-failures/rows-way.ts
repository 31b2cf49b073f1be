/** The way to the host. */
import { newCanary } from '../canary.ts';
import { apply, sshKeySecret } from '../fleet.ts';
import { encryptedKey, strangerKey } from '../ssh-keys.ts';
import type { Fault } from '../ssh-server/faults.ts';
import { change, type FailureRow, type Stage } from './play.ts';

const ownKey = ({ name }: Stage) => ({ ssh: { keyRef: { name: `key-${name}` } } });
const keyOf = ({ name }: Stage, key: string): object => sshKeySecret(key, `key-${name}`);
const giveKey = (stage: Stage) => apply(stage.cluster, keyOf(stage, stage.privateKey));
const noFaults = ({ host }: Stage): void => host.faults.clear();
const withFault = (fault: Fault): Pick<FailureRow, 'script'> => ({ script: { faults: [fault] } });

const nothingWasSent = ({ host }: Stage): void => expect(host.calls).toEqual([]);

const reachable = { condition: 'Reachable' } as const;

export const wayRows: FailureRow[] = [
  {
    ...reachable,
    ...{ what: 'a name without an address', reason: 'NameNotResolved', kind: 'Reconciling' },
    says: [/the name nobody\.invalid has no address/, /check spec\.ssh\.host/i],
    spec: () => ({ ssh: { host: 'nobody.invalid' } }),
    repair: (stage) => change(stage, { ssh: { host: stage.host.address } }),
  },
  {
    ...reachable,
    ...{ what: 'a closed port', reason: 'ConnectionRefused', kind: 'Reconciling' },
    says: [/127\.0\.0\.1 port \d+ refuses connections/, /start sshd/i],
    ...withFault({ kind: 'refuseConnection' }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a port behind which nobody speaks', reason: 'ConnectTimeout', kind: 'Reconciling' },
    says: [/no login at root@127\.0\.0\.1:\d+ within 15 s: no SSH banner came/, /switch the host on/i],
    ...withFault({ kind: 'hang', at: 'banner' }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a connection that is cut', reason: 'ConnectionLost', kind: 'Reconciling' },
    says: [/connection|handshake/, /tried again/i],
    ...withFault({ kind: 'cut', at: 'banner' }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a host that answers and does not end', reason: 'DeadlineExceeded', kind: 'Reconciling' },
    says: [/observe on root@.* did not end within 30 s/, /tried again.*load/i],
    ...withFault({ kind: 'hang', at: 'script' }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'another host key', reason: 'HostKeyMismatch', kind: 'Stalled' },
    says: [
      /expected SHA256:\S+ \(ssh-ed25519\), it shows SHA256:\S+\. Nothing was sent/,
      /replace it in hostKeys/,
    ],
    ...withFault({ kind: 'wrongHostKey' }),
    besides: nothingWasSent,
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a key that the host does not know', reason: 'AuthenticationFailed', kind: 'Stalled' },
    says: [
      /127\.0\.0\.1 does not let root in with the key SHA256:/,
      new RegExp(`add the public half .*: ${strangerKey.public.replaceAll('+', '\\+')}`),
    ],
    objects: (stage) => [keyOf(stage, strangerKey.private)],
    spec: ownKey,
    besides: nothingWasSent,
    repair: giveKey,
  },
  {
    ...reachable,
    ...{ what: 'a user that the host does not know', reason: 'AuthenticationFailed', kind: 'Stalled' },
    says: [/does not let nobody in/, /if that is the right user/i],
    spec: () => ({ ssh: { user: 'nobody' } }),
    repair: (stage) => change(stage, { ssh: { user: 'root' } }),
  },
  {
    ...reachable,
    ...{ what: 'a key Secret that is not there yet', reason: 'SecretNotFound', kind: 'Reconciling' },
    says: [/Secret key-node-\d+ does not exist/, /create it/],
    spec: ownKey,
    repair: giveKey,
  },
  {
    ...reachable,
    ...{ what: 'a Secret without a key', reason: 'InvalidPrivateKey', kind: 'Stalled' },
    says: [/Secret key-node-\d+ has no key ssh-privatekey/, /put a private key there/],
    objects: ({ name }) => [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: `key-${name}`, namespace: 'fleet' } },
    ],
    spec: ownKey,
  },
  {
    ...reachable,
    ...{ what: 'a key that is none', reason: 'InvalidPrivateKey', kind: 'Stalled' },
    says: [/Secret key-node-\d+ has no private key that can be read/, /as ssh-keygen writes it/],
    objects: (stage) => [keyOf(stage, `no key at all: ${newCanary()}`)],
    spec: ownKey,
    repair: giveKey,
  },
  {
    ...reachable,
    ...{ what: 'a key with a passphrase', reason: 'InvalidPrivateKey', kind: 'Stalled' },
    says: [/has a private key with a passphrase/, /ssh-keygen -p removes it/],
    objects: (stage) => [keyOf(stage, encryptedKey)],
    spec: ownKey,
    repair: giveKey,
  },
  {
    ...reachable,
    ...{ what: 'sudo that asks for a password', reason: 'SudoRefused', kind: 'Stalled' },
    says: [
      /sudo on deploy@.* refused: "?sudo: a password is required/,
      /NOPASSWD/,
      /security\.sudo\.extraRules/,
    ],
    ...withFault({ kind: 'refuseSudo', says: 'sudo: a password is required' }),
    spec: () => ({ ssh: { user: 'deploy' } }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a login shell that is none', reason: 'ShellUnusable', kind: 'Stalled' },
    says: [/ended with exit status 1: .*not available/, /login shell/],
    ...withFault({ kind: 'notAShell', says: 'This account is currently not available.', exitStatus: 1 }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a reply that is none', reason: 'ProtocolViolation', kind: 'Reconciling' },
    says: [/observe on root@.* gave a reply that this operator does not read/, /tried again/i],
    ...withFault({ kind: 'garbage', bytes: '{"ok":true}\n' }),
    repair: noFaults,
  },
  {
    ...reachable,
    ...{ what: 'a jump host that is away', reason: 'JumpFailed', kind: 'Reconciling' },
    says: [/at the jump host: 127\.0\.0\.1 port 1 refuses connections/, /check spec\.ssh\.jump/i],
    spec: ({ host }) => ({
      ssh: {
        jump: { host: '127.0.0.1', port: 1, keyRef: { name: 'deploy-key' }, hostKeys: [host.hostKey] },
      },
    }),
    repair: ({ host, ...stage }) =>
      change(
        { ...stage, host },
        {
          ssh: {
            jump: {
              ...{ host: host.address, port: host.port, hostKeys: [host.hostKey] },
              keyRef: { name: 'deploy-key' },
            },
          },
        },
      ),
  },
];
