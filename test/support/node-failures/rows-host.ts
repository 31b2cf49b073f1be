/** The host refuses, or is not as it should be. */
import { type Clock, systemClock } from '../../../controllers/lib/core/clock.ts';
import type { NixNode } from '../../../crds/index.ts';
import { conditionOf } from '../fleet.ts';
import type { Fault } from '../ssh-server/faults.ts';
import { change, type FailureRow, type Stage } from './play.ts';

const noFaults = ({ host }: Stage): void => host.faults.clear();

/** What `claim` says of a host that is not fit for it. */
const refusal = (code: string, message: string): Pick<FailureRow, 'script'> => ({
  script: { faults: [{ kind: 'refuse', subcommand: 'claim', code, message } satisfies Fault] },
});

/** An hour behind, until somebody sets it. */
const wrongClock: Clock & { skew: number } = {
  skew: -3_600_000,
  now: () => systemClock.now() + wrongClock.skew,
  after: (ms, callback) => systemClock.after(ms, callback),
};

const resume = (stage: Stage) => change(stage, {}, { 'firn.dev/resume': 'now' });
const rendered = { condition: 'Rendered', kind: 'Stalled' } as const;
const healthy = { condition: 'Healthy', kind: 'Reconciling' } as const;

const secondsOf = (): number => Math.floor(Date.now() / 1000);
const stranger = { installation: 'f'.repeat(32), fence: 3, owner: 'other/alpha', uid: 'x' };

export const hostRows: FailureRow[] = [
  {
    ...rendered,
    ...{ what: 'a host without Nix', reason: 'NoNix' },
    says: [/nix is not in PATH/, /install Nix 2\.8/i],
    ...refusal('NoNix', 'nix is not in PATH (/bin)'),
    repair: noFaults,
  },
  {
    ...rendered,
    ...{ what: 'another system than NixOS', reason: 'NotNixOS' },
    says: [/no NixOS to come back to/, /install NixOS first/i],
    ...refusal('NotNixOS', 'this is no NixOS to come back to'),
  },
  {
    ...rendered,
    ...{ what: 'another process 1 than systemd', reason: 'NoSystemd' },
    says: [/process 1 is not systemd/, /needs systemd 250 or newer/],
    ...refusal('NoSystemd', 'process 1 is not systemd'),
  },
  {
    ...rendered,
    ...{ what: 'state on tmpfs', reason: 'NotPersistent' },
    says: [/is on tmpfs/, /put \/var\/lib\/firn .* survives a restart/i],
    ...refusal('NotPersistent', '/var/lib/firn is on tmpfs and does not survive a reboot'),
    repair: noFaults,
  },
  {
    ...{
      what: 'a disk too full for the program',
      reason: 'DiskFull',
      condition: 'Reachable',
      kind: 'Stalled',
    },
    says: [/\/var\/lib\/firn\/bin on root@.* cannot be written: .*No space left/, /free some space/i],
    script: { faults: [{ kind: 'storeFails', says: 'cannot create: No space left on device' }] },
    repair: noFaults,
  },
  {
    ...{ what: 'a disk too full for a build', reason: 'DiskFull', condition: 'Built', kind: 'Stalled' },
    says: [/\/nix has 1 KiB/, /nix-collect-garbage/],
    script: {
      faults: [{ kind: 'refuse', subcommand: 'build', code: 'DiskFull', message: '/nix has 1 KiB free' }],
    },
    repair: noFaults,
  },
  {
    ...{ what: 'a disk that is read-only', reason: 'NotPersistent', condition: 'Reachable', kind: 'Stalled' },
    says: [/cannot be written: .*Read-only/, /survives a restart/],
    script: { faults: [{ kind: 'storeFails', says: 'cannot create: Read-only file system' }] },
  },
  {
    ...{ what: 'what nobody foresaw', reason: 'HostFailed', condition: 'Built', kind: 'Reconciling' },
    says: [/systemd-run could not start/, /journal of the host/],
    script: {
      faults: [
        { kind: 'refuse', subcommand: 'build', code: 'Failed', message: 'systemd-run could not start it' },
      ],
    },
    repair: noFaults,
  },
  {
    ...{ what: 'a clock that is wrong', reason: 'ClockSkewed', condition: 'Built', kind: 'Reconciling' },
    says: [/clock is about 60 minutes behind/, /timedatectl set-time/],
    script: { clock: wrongClock },
    besides: ({ host }) => expect(host.state.releases.size).toBe(0),
    repair: () => {
      wrongClock.skew = 0;
    },
  },
  {
    ...rendered,
    ...{ what: 'a host of another installation', reason: 'OwnedByOther' },
    says: [/belongs to other\/alpha of the installation f{32}/, /firn\.dev\/adopt: "true"/],
    // It is claimed before the node is there; see `objects`.
    objects: ({ host }) => {
      host.state.owner = { ...stranger };
      return [];
    },
    repair: (stage) => change(stage, {}, { 'firn.dev/adopt': 'true' }),
    besides: ({ host }) => expect(host.state.owner).toEqual(stranger),
  },
  {
    ...{ what: 'a newer operator at work', reason: 'Fenced', condition: 'Built', kind: 'Stalled' },
    says: [/a newer operator \(fence 99\) was here/, /stop the one that should not run/],
    after: async (stage) => {
      stage.host.state.owner!.fence = 99;
      await change(stage, { modules: [{ inline: '{ }' }] });
    },
  },
  {
    ...{ what: 'a system that somebody booted', reason: 'BootedOther', condition: 'Applied' },
    kind: 'Reconciling',
    says: [/booted into a system that is not the confirmed release/, /firn\.dev\/resume/],
    after: (stage) => {
      stage.host.state.bootedOther = true;
      return change(stage, { deploy: { confirmWithin: '60s' } });
    },
    repair: resume,
  },
  {
    ...healthy,
    ...{ what: 'a unit that fails later on', reason: 'UnitsFailed' },
    says: [/units failed on the host: app\.service/, /systemctl status there tells why/],
    after: (stage) => {
      stage.host.state.failedUnits = ['app.service'];
      return change(stage, { deploy: { confirmWithin: '60s' } });
    },
    besides: (_, node: NixNode) => expect(conditionOf(node, 'Applied')?.status).toBe('True'),
    repair: ({ host }) => {
      host.state.failedUnits = [];
    },
  },
  {
    ...healthy,
    ...{ what: 'a system that somebody switched to', reason: 'Drifted' },
    says: [/which somebody switched to by hand, instead of release [0-9a-f]{12}/, /switch back/],
    after: (stage) => {
      stage.host.state.running.system = `/nix/store/${'1'.repeat(32)}-by-hand`;
      return change(stage, { deploy: { confirmWithin: '60s' } });
    },
    repair: ({ host }) => {
      host.state.running.system = host.state.running.profile;
    },
  },
  {
    ...{ what: 'nixpkgs that the host cannot find', reason: 'NixpkgsUnresolved', condition: 'Rendered' },
    kind: 'Reconciling',
    says: [/cannot resolve github:NixOS\/nixpkgs\/nixos-26\.05: .*404/, /check spec\.nixpkgs\.url/i],
    objects: ({ host }) => {
      const job = { state: 'Failed' as const, message: 'error: HTTP error 404', extra: '', refresh: '' };
      host.state.resolve = { ...job, startedAt: secondsOf(), subject: 'github:NixOS/nixpkgs/nixos-26.05' };
      return [];
    },
    // The answer was an hour ago: it is asked again.
    repair: ({ host }) => {
      host.state.resolve!.startedAt -= 3600;
    },
  },
];
