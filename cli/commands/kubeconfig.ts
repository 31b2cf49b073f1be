import { clusterOptions } from '../cluster-options.ts';
import { defineCommand, UsageError } from '../command.ts';

export const kubeconfig = defineCommand({
  name: 'kubeconfig',
  summary: 'print the kubeconfig of a ClusterAccess, or write it to a file',
  description:
    'With --cluster and --user it makes a ClusterAccess first, where there is none that says the same. What is printed is a\n' +
    'secret: --merge and --output write it to a file that only you can read, and print nothing of it.',
  arguments: [
    {
      name: 'NAME',
      required: false,
      help: 'name of a ClusterAccess; with --cluster default: CLUSTER-USER',
    },
  ],
  options: {
    merge: { help: 'add it to the file that kubectl uses (KUBECONFIG, or ~/.kube/config)' },
    output: { value: 'FILE', short: 'o', help: 'write it to a file of its own' },
    as: { value: 'NAME', help: 'name of cluster, user and context in it; default: USER@CLUSTER' },
    cluster: { value: 'NAME', help: 'make a ClusterAccess of this NixCluster' },
    user: { value: 'NAME', help: 'with --cluster: who it is for' },
    group: { value: 'NAME', repeated: true, help: 'with --cluster: a group of the user' },
    lifetime: { value: 'DURATION', help: 'with --cluster: how long the certificate is valid, such as 720h' },
    ...clusterOptions,
  },
  examples: [
    'kubeconfig ops -n demo --merge',
    'kubeconfig --cluster demo --user me --group firn:cluster-admins -n demo -o demo.kubeconfig',
  ],
  async run({ arguments: [name], options, terminal, environment, signal }) {
    const { cluster, user, group: groups, lifetime, merge, output, as } = options;
    if (merge && output !== undefined) throw new UsageError('--merge and --output exclude each other');
    if (cluster === undefined && (user !== undefined || groups.length > 0 || lifetime !== undefined))
      throw new UsageError('--user, --group and --lifetime are for a new ClusterAccess: give --cluster too');
    if (cluster !== undefined && user === undefined)
      throw new UsageError('--cluster needs --user: who it is for');
    const found = name ?? nameFor(cluster, user);
    const { connect } = await import('../connect.ts');
    const { ensureAccess, waitForEntry } = await import('../access.ts');
    await using connection = connect(options);
    if (cluster !== undefined && user !== undefined) {
      const { made } = await ensureAccess(connection, found, { cluster, user, groups, lifetime }, signal);
      if (made) terminal.err(`firn: made ClusterAccess ${connection.namespace}/${found}`);
    }
    const { entry, notes } = await waitForEntry(connection, found, signal);
    for (const note of notes) terminal.err(`firn: ${note}`);
    const named = as === undefined ? entry : { ...entry, name: as };
    const { deliver } = await import('../kubeconfig-output.ts');
    deliver(named, { merge, output }, terminal, environment);
    return 0;
  },
});

/** A user may have a name that no object can have. */
function nameFor(cluster: string | undefined, user: string | undefined): string {
  if (cluster === undefined || user === undefined)
    throw new UsageError('kubeconfig needs NAME of a ClusterAccess, or --cluster and --user to make one');
  const name = `${cluster}-${user}`;
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`${JSON.stringify(name)} cannot be the name of an object: give NAME too`);
}
