import { observeEtcd } from './etcd.ts';
import { observeFrontends } from './frontends.ts';
import { observeMesh } from './mesh.ts';
import { certificatesOf } from './secrets.ts';
import { type Job, type Machine, unixNow } from './state.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

const job = ({ state, startedAt, message }: Job): Record<string, unknown> => ({
  state,
  startedAt,
  messageB64: b64(message),
});

/** What `observe` prints, before it is JSON. */
export function observe(machine: Machine, program: string): Record<string, unknown> {
  const { state, clock } = machine;
  const { owner, trial, build, resolve, reset, facts } = state;
  return {
    ok: true,
    program,
    time: unixNow(clock),
    bootId: state.bootId,
    facts: {
      hostnameB64: b64(state.hostname),
      system: facts.system,
      kernelB64: b64('6.18.0'),
      nixVersionB64: b64(facts.nixVersion),
      nixosVersionB64: b64(facts.nixosVersion),
      systemdVersion: 258,
      cpus: facts.cpus,
      memoryBytes: facts.memoryBytes,
      addresses: ['127.0.0.1'],
    },
    disk: state.disk,
    owner: owner && {
      installation: owner.installation,
      fence: owner.fence,
      ownerB64: b64(owner.owner),
      uid: owner.uid,
    },
    release0: state.release0,
    running: state.running,
    releases: [...state.releases].map(([id, { parts, system }]) => ({ id, parts, system })),
    stored: {
      system: [...state.stored.system.keys()],
      data: [...state.stored.data.keys()],
      secrets: [...state.stored.secrets.keys()],
    },
    current: state.current,
    confirmed: state.confirmed,
    manifestB64: b64(state.releases.get(state.current ?? '')?.manifest ?? ''),
    certificates: certificatesOf(state),
    wireguard: observeMesh(machine),
    etcd: observeEtcd(machine),
    frontends: observeFrontends(state),
    trial: trial && {
      id: trial.id,
      attempt: trial.attempt,
      state: trial.state,
      reason: trial.reason,
      messageB64: b64(trial.message),
      deadline: trial.deadline,
      failedUnits: trial.failedUnits,
    },
    bad: state.bad.map(({ message, ...bad }) => ({ ...bad, messageB64: b64(message) })),
    build: build && { ...job(build), id: build.subject },
    resolve: resolve && {
      ...job(resolve),
      urlB64: b64(resolve.subject),
      refreshB64: b64(resolve.refresh),
      lockedB64: b64(resolve.extra),
    },
    reset: reset && job(reset),
    bootedOther: state.bootedOther,
    secretsLost: state.secretsLost,
    failedUnits: state.failedUnits,
  };
}
