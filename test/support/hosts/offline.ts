import { type CommandOptions, execute, type Finished } from './command.ts';

/** Root builds, and alone; as long as there is no nix.conf. */
const nixConfig = 'build-users-group =\nsandbox = false\nsubstituters =\nbuild-hook =\n';

/**
 * Runs a long command in process and mount namespaces of its own (and those of `more`, as unshare(1) names them), so
 * that all of it ends with this process, however that ends, and leaves no mount.
 */
export function confined(command: string[], options: CommandOptions, more: string[] = []): Promise<Finished> {
  const unshare = ['unshare', '--mount', '--pid', ...more, '--fork', '--kill-child', '--mount-proc'];
  return execute('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...command], options);
}

/**
 * Runs a shell script in a root file system that is not booted, with PATH `path`, without a network: nothing
 * can come from outside.
 */
export function offline(root: string, path: string, script: string): Promise<Finished> {
  const enter =
    'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" /usr/bin/env "PATH=$2" /bin/sh /dev/fd/3';
  const options = {
    timeoutMs: 300_000,
    script,
    env: { ...process.env, HOME: '/root', LC_ALL: 'C.UTF-8', NIX_CONFIG: nixConfig },
  };
  return confined(['sh', '-c', enter, 'sh', root, path], options, ['--net']);
}
