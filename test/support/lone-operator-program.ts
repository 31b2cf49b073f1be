/**
 * The operator as a process of its own that a test can kill, freeze and have twice: without leader election, so that
 * nothing but the hosts themselves keeps two of them apart. Its parent tells it what to do over the IPC channel, and it
 * does not outlive that.
 */
import { type FirnOptions, runFirn } from '../../controllers/main.ts';

export type LoneOptions = Pick<
  FirnOptions,
  'kubeConfigFile' | 'installationNamespace' | 'watchNamespaces' | 'workers'
>;

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')));
process.once('disconnect', () => process.exit(1));

process.once('message', (options: LoneOptions) => {
  runFirn({
    ...options,
    leaderElection: false,
    healthPort: null,
    logLevel: 'debug',
    signal: stop.signal,
    onPhase: ({ name }) => process.send?.(name),
  }).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
