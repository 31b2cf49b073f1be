import { clusterOptions } from '../cluster-options.ts';
import { CliError, defineCommand, UsageError } from '../command.ts';

const actions = ['status', 'config'] as const;

export const mesh = defineCommand({
  name: 'mesh',
  summary: 'show the pairs of a mesh, or print what an external peer needs',
  description:
    '`status` tells of each pair when they last shook hands, and what to look at where there is no tunnel.\n' +
    '`config` prints the file for wg-quick of an external peer; its private key is filled in where it is used.',
  arguments: [
    { name: 'ACTION', required: true, choices: actions, help: 'what to show' },
    {
      name: 'NAME',
      required: false,
      help: 'status: name of a WireguardMesh, default: all; config: name of an external peer',
    },
  ],
  options: {
    mesh: { value: 'NAME', help: 'config: the WireguardMesh, where the namespace has several' },
    ...clusterOptions,
  },
  examples: ['mesh status -n demo', 'mesh config laptop -n demo > wg0.conf'],
  async run({ arguments: [action, name], options, terminal, signal }) {
    if (action === 'config' && name === undefined)
      throw new UsageError('mesh config needs NAME of an external peer');
    if (action === 'status' && options.mesh !== undefined) throw new UsageError('--mesh is for mesh config');
    const { connect } = await import('../connect.ts');
    const { clusterOfMesh, readMeshes } = await import('../read-meshes.ts');
    await using connection = connect(options);
    const meshes = await readMeshes(connection, action === 'config' ? options.mesh : name, signal);
    if (action === 'status') {
      const { describeMesh } = await import('../describe-mesh.ts');
      if (meshes.length === 0) terminal.err(`no WireguardMeshes in ${connection.namespace}`);
      else terminal.out(meshes.map((one) => describeMesh(one, Date.now(), terminal)).join('\n\n'));
      return 0;
    }
    const { meshConfig, meshWithPeer } = await import('../mesh-config.ts');
    const chosen = meshWithPeer(meshes, name!);
    const cluster = await clusterOfMesh(connection, chosen, signal);
    if (cluster === undefined)
      throw new CliError(`no NixCluster names WireguardMesh ${chosen.metadata.name}`);
    const { text, notes } = meshConfig(chosen, cluster, name!);
    for (const note of notes) terminal.err(`firn: ${note}`);
    terminal.out(text);
    return 0;
  },
});
