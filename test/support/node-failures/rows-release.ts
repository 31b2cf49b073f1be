/** A change does not get through a build or a trial. */
import type { Fault } from '../ssh-server/faults.ts';
import {
  again,
  applied,
  built,
  deployBad,
  deployGood,
  fails,
  held,
  isBad,
  lastGoodRuns,
  secretOf,
} from './bad-release.ts';
import { change, type FailureRow } from './play.ts';

const failsToBuild = (reason: 'BuildFailed' | 'EvaluationFailed' | null, message: string) => ({
  script: { faults: [{ kind: 'buildFails', reason, message, when: isBad } satisfies Fault] },
});

export const releaseRows: FailureRow[] = [
  {
    ...built,
    ...held,
    ...{ what: 'it does not evaluate', reason: 'EvaluationFailed' },
    says: [/services\.opensh' does not exist/, /correct the modules/i, again],
    ...failsToBuild('EvaluationFailed', "error: The option `services.opensh' does not exist."),
  },
  {
    ...built,
    ...{ what: 'it does not evaluate, and says what cannot work in a flake', reason: 'EvaluationFailed' },
    says: [/pure evaluation/, /line 1: <nixpkgs\/a\.nix>: write \(pkgs\.path/, again],
    ...failsToBuild('EvaluationFailed', 'error: cannot look up in pure evaluation mode'),
    after: (stage) => change(stage, { modules: [{ inline: '{ imports = [ <nixpkgs/a.nix> ]; } # bad' }] }),
    besides: lastGoodRuns,
  },
  {
    ...built,
    ...held,
    ...{ what: 'it does not build', reason: 'BuildFailed' },
    says: [/builder for app failed/, /firn logs NODE build/, again],
    ...failsToBuild('BuildFailed', 'error: builder for app failed'),
  },
  {
    ...built,
    ...{ what: 'the build was interrupted', reason: 'BuildInterrupted', kind: 'Reconciling' },
    event: 'Normal',
    says: [/out of memory/, /the build is tried again/],
    ...failsToBuild(null, 'error: out of memory'),
    after: deployBad,
    repair: deployGood,
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the switch fails', reason: 'ActivationFailed' },
    says: [/ended with status 2/, /firn logs NODE activate/, again],
    ...fails('ActivationFailed', 'switch-to-configuration ended with status 2:\nno such user'),
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the switch takes too long', reason: 'ActivationTimedOut' },
    says: [/longer than it may/, /look for a unit/i, again],
    ...fails('ActivationTimedOut', 'the activation took longer than it may'),
  },
  {
    ...applied,
    ...held,
    ...{ what: 'a unit does not come up', reason: 'UnitsFailed' },
    says: [/not up since the switch: app\.service/, /correct the units/i, again],
    ...fails('UnitsFailed', 'not up since the switch: app.service', ['app.service']),
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the host cannot be reached after it', reason: 'NotConfirmed' },
    says: [/did not confirm over a new connection/, /the network, the firewall and sshd/, again],
    script: { faults: [{ kind: 'losesNetwork', when: isBad }] },
    spec: () => ({ deploy: { confirmWithin: '10s' } }),
  },
  {
    ...applied,
    ...{ what: 'a file cannot be delivered', reason: 'FilesFailed' },
    says: [/something at \/run\/keys\/a already/, /correct the files/i, again],
    ...fails('FilesFailed', 'there is something at /run/keys/a already'),
    objects: ({ name }) => [secretOf(name)],
    spec: ({ name }) => ({
      files: [{ path: '/run/keys/a', secretRef: { name: `of-${name}`, key: 'a' } }],
    }),
    after: deployBad,
  },
  {
    ...applied,
    ...held,
    ...{ what: 'the host restarts in each trial', reason: 'HostRestarted' },
    says: [/restarted during each of 3 trials/, /what makes the host restart/i, again],
    ...{ script: { durations: { activate: 400 } } },
    after: async (stage) => {
      const { host } = stage;
      host.onCall = ({ subcommand }) => {
        if (subcommand === 'activate') setTimeout(() => host.reboot(), 150);
      };
      await deployBad(stage);
    },
    besides: (stage, node) => {
      stage.host.onCall = null;
      lastGoodRuns(stage, node);
    },
  },
];
