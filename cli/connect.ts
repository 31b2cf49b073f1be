import type { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../controllers/lib/core/clock.ts';
import { KubeClient } from '../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../controllers/lib/kube/config.ts';
import { isNotFound } from '../controllers/lib/kube/kube-error.ts';
import { NixNode } from '../crds/index.ts';
import type { clusterOptions } from './cluster-options.ts';
import type { Values } from './command.ts';
import { CliError } from './command.ts';

export type Connection = AsyncDisposable & { client: KubeClient; namespace: string };

/** client-node assumes this server where it finds no kubeconfig at all. */
const nowhere = 'http://localhost:8080';

/** The cluster that kubectl would talk to with the same options. */
export function connect(options: Values<typeof clusterOptions>): Connection {
  const read = kubeConfigFrom(options.kubeconfig);
  const load = (): KubeConfig => withContext(read(), options.context);
  const config = loadFirst(load);
  if (config.getCurrentCluster()?.server === nowhere) {
    throw new CliError('no cluster is configured; set KUBECONFIG, or give --kubeconfig FILE');
  }
  const context = config.getContextObject(config.getCurrentContext());
  const client = new KubeClient(load, systemClock);
  return {
    client,
    namespace: options.namespace ?? context?.namespace ?? 'default',
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** What client-node throws is about YAML and files; the path that it was about is missing. */
function loadFirst(load: () => KubeConfig): KubeConfig {
  try {
    return load();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`the kubeconfig cannot be read: ${(error as Error).message}`);
  }
}

function withContext(config: KubeConfig, context: string | undefined): KubeConfig {
  if (context === undefined) return config;
  if (config.getContextObject(context) === null) {
    const names = config.getContexts().map(({ name }) => name);
    throw new CliError(`the kubeconfig has no context ${context}; it has ${names.join(', ') || 'none'}`);
  }
  config.setCurrentContext(context);
  return config;
}

/** Throws `CliError` where there is no such node. */
export async function getNode(
  { client, namespace }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<NixNode> {
  try {
    return NixNode.parse(await client.get(NixNode, { namespace, name }, { signal, deadlineMs: 15_000 }));
  } catch (error) {
    if (isNotFound(error)) {
      throw new CliError(`there is no NixNode ${name} in namespace ${namespace}; -n names another namespace`);
    }
    throw error;
  }
}
