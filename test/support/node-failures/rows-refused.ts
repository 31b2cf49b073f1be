/** A change is refused before it is tried, or held back. */
import type { TrialReason } from '../../../controllers/lib/host/protocol.ts';
import { apply } from '../fleet.ts';
import type { Fault } from '../ssh-server/faults.ts';
import {
  again,
  applied,
  bad,
  deployBad,
  deployGood,
  eventually,
  fails,
  held,
  isBad,
  lastGoodRuns,
  secretOf,
} from './bad-release.ts';
import { change, type FailureRow } from './play.ts';

const declines = (reason: TrialReason, message: string) => ({
  script: { faults: [{ kind: 'declines', reason, message, when: isBad } satisfies Fault] },
});
const allowing = (finding: string): RegExp => new RegExp(`spec\\.deploy\\.allow: \\[${finding}\\]`);

export const refusedRows: FailureRow[] = [
  {
    ...applied,
    ...{ what: 'it would not boot', reason: 'WouldNotBoot' },
    says: [/no file system for \//, allowing('WouldNotBoot'), /what was there before Firn runs/],
    ...declines('WouldNotBoot', 'the candidate has no file system for /'),
    spec: () => bad,
    besides: ({ host }) => expect(host.state.current).toBeNull(),
  },
  {
    ...applied,
    ...{ what: 'it would lose its network', reason: 'WouldLoseNetwork' },
    says: [/neither asks for an address/, allowing('WouldLoseNetwork')],
    ...declines('WouldLoseNetwork', 'the candidate neither asks for an address (DHCP) nor has one'),
    spec: () => bad,
    repair: deployGood,
  },
  {
    ...applied,
    ...held,
    ...{ what: 'its restart could not be guarded', reason: 'RebootUnprotected' },
    says: [/no one-shot entry/, allowing('RebootUnprotected'), again],
    ...declines('RebootUnprotected', 'the boot loader has no one-shot entry'),
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the system cannot read what is delivered', reason: 'FormatUnsupported' },
    says: [/format 1/, /modules of this version of Firn/, again],
    ...declines('FormatUnsupported', 'the system does not read data of format 1'),
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the disk became full during the trial', reason: 'DiskFull' },
    says: [/cannot be written down/, /free some space/i, again],
    ...fails('DiskFull', 'the trial cannot be written down: is /var full?'),
  },
  {
    ...applied,
    ...{ what: 'only a restart can enter it', reason: 'RebootDue', kind: 'Reconciling' },
    says: [/takes effect with a restart of the host.*another kernel/, /set it to WhenRequired/],
    script: { faults: [{ kind: 'needsReboot', when: isBad }] },
    after: deployBad,
    besides: (stage, node) => {
      lastGoodRuns(stage, node);
      expect(node.status?.rebootDue).toBe(true);
    },
    repair: (stage) => change(stage, { ...bad, deploy: { reboot: 'WhenRequired' } }),
  },
  {
    ...applied,
    ...{ what: 'nothing is deployed while it is paused', reason: 'Paused', kind: 'Reconciling' },
    says: [/release [0-9a-f]{12} is not deployed/, /spec\.deploy\.mode is Paused/],
    after: (stage) => change(stage, { ...bad, deploy: { mode: 'Paused' } }),
    besides: lastGoodRuns,
    repair: (stage) => change(stage, bad),
  },
  {
    ...applied,
    ...{ what: 'a person rolled it back', reason: 'RejectedByUser' },
    says: [/release [0-9a-f]{12} was rolled back by a user/, again],
    after: async (stage) => {
      const former = stage.host.state.confirmed;
      await deployGood(stage);
      const isNew = () =>
        stage.host.state.confirmed !== former && stage.host.state.trial?.state === 'Confirmed';
      await eventually(isNew);
      const rollback = { 'firn.dev/rollback': stage.host.state.confirmed! };
      await change(stage, { modules: [{ inline: '{ } # good' }] }, rollback);
    },
    besides: lastGoodRuns,
    repair: (stage) => change(stage, { modules: [{ inline: '{ } # better' }] }),
  },
  {
    ...applied,
    ...{ what: 'the secrets of the last good release are lost', reason: 'LastGoodLost', condition: 'Built' },
    says: [/the host lost the secrets of the last good release/, /correct what was taken back/],
    ...fails('FilesFailed', 'the file cannot be given to nobody:nobody'),
    objects: ({ name }) => [secretOf(name)],
    spec: ({ name }) => ({
      files: [{ path: '/run/keys/a', secretRef: { name: `of-${name}`, key: 'a' } }],
    }),
    after: async (stage) => {
      const { host, cluster, name } = stage;
      host.faults.add({ kind: 'activationFails', reason: 'FilesFailed', message: 'no such user' });
      await apply(cluster, secretOf(name));
      await eventually(() => host.state.bad.length > 0);
      host.state.stored.secrets.clear();
      host.state.secretsLost = true;
      await change(stage, { deploy: { confirmWithin: '60s' } });
    },
  },
];
