import { clusterOptions } from '../cluster-options.ts';
import { defineCommand, UsageError } from '../command.ts';

export const render = defineCommand({
  name: 'render',
  summary: 'print the Nix that would be deployed to a host',
  description:
    'From manifests (-f) it needs no cluster. The files are those of the system: what is delivered from Secrets\n' +
    "is not part of it and is never printed. Firn's own modules are written with --out only.",
  arguments: [{ name: 'NODE', required: false, help: 'name of a NixNode; with -f, all of the manifests' }],
  options: {
    filename: { value: 'FILE', short: 'f', repeated: true, help: 'manifests in YAML; - is standard input' },
    out: { value: 'DIR', short: 'o', help: 'write the files below DIR/NODE instead of printing them' },
    ...clusterOptions,
  },
  examples: [
    'render alpha -n fleet',
    'render -f docs/examples/01-plain-host.yaml',
    'render -f node.yaml -f modules.yaml --out rendered',
  ],
  async run({ arguments: [name], options, terminal, signal }) {
    if (options.filename.length === 0 && name === undefined) {
      throw new UsageError('render needs NODE, or manifests with -f FILE');
    }
    const { renderFromFiles, renderFromCluster } = await import('../render.ts');
    const { printBundle, writeBundle } = await import('../bundle-output.ts');
    const rendered =
      options.filename.length > 0
        ? renderFromFiles(options.filename, name)
        : [await renderFromCluster(options, name!, signal)];
    for (const bundle of rendered) {
      for (const note of bundle.notes) terminal.err(`firn: ${bundle.name}: ${note}`);
      if (options.out === undefined) printBundle(bundle, terminal);
      else terminal.err(`firn: wrote ${writeBundle(bundle, options.out)}`);
    }
    return 0;
  },
});
