import { execute, type Finished } from './command.ts';

/** Root builds, and alone; as long as there is no nix.conf. */
const nixConfig = 'build-users-group =\nsandbox = false\nsubstituters =\nbuild-hook =\n';

/**
 * Runs a shell script in a root file system that is not booted, with PATH `path`, in namespaces of its own: without a
 * network nothing can come from outside, and no process outlives the script.
 */
export function offline(root: string, path: string, script: string): Promise<Finished> {
  const enter =
    'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" /usr/bin/env "PATH=$2" /bin/sh /dev/fd/3';
  return execute('unshare', ['-mpn', '--fork', '--kill-child', 'sh', '-c', enter, 'sh', root, path], {
    timeoutMs: 300_000,
    script,
    env: { ...process.env, HOME: '/root', LC_ALL: 'C.UTF-8', NIX_CONFIG: nixConfig },
  });
}
