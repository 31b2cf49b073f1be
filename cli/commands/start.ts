import { defineCommand, UsageError } from '../command.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

export const start = defineCommand({
  name: 'start',
  summary: 'run the operator, in a Kubernetes of its own or against yours',
  description:
    'Without --kubeconfig it runs a real kube-apiserver and etcd on 127.0.0.1, keeps their data in --data-dir, and\n' +
    'runs the operator in them. With it, the operator runs against that cluster. Either way the definitions of\n' +
    "Firn's kinds are installed first. Ctrl-C stops everything; hosts go on as they are.",
  arguments: [],
  options: {
    kubeconfig: { value: 'FILE', help: 'run against this cluster' },
    'data-dir': { value: 'DIR', help: "of the cluster's own data; default: .firn" },
    port: { value: 'PORT', help: 'of the API server; default: the one that it had before, else a free one' },
    namespace: {
      value: 'NAME',
      short: 'n',
      help: 'where the operator keeps its identity and its lease; default: firn-system',
    },
    'watch-namespace': {
      value: 'NAME',
      repeated: true,
      help: 'look after the objects of this namespace only',
    },
    'health-port': { value: 'PORT', help: 'serve /healthz, /readyz and /metrics on this port of 127.0.0.1' },
    'log-level': { value: 'LEVEL', choices: levels, help: "of the operator's log; default: info" },
  },
  examples: ['start', 'start --data-dir ~/lab --port 6443', 'start --kubeconfig ~/.kube/config -n firn'],
  async run({ options, terminal, signal }) {
    if (options.kubeconfig !== undefined) {
      if (options['data-dir'] !== undefined || options.port !== undefined) {
        throw new UsageError(
          '--data-dir and --port are for a cluster of its own; --kubeconfig names another one',
        );
      }
    }
    const common = {
      namespace: options.namespace ?? 'firn-system',
      watchNamespaces: options['watch-namespace'],
      healthPort: portOf('--health-port', options['health-port']) ?? null,
      logLevel: options['log-level'] ?? 'info',
      terminal,
      signal,
    };
    const { startOn, startOwn } = await import('../start.ts');
    if (options.kubeconfig !== undefined) return startOn(options.kubeconfig, common);
    const port = portOf('--port', options.port);
    return startOwn({ dataDir: options['data-dir'] ?? '.firn', ...(port && { port }) }, common);
  },
});

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`${option} is a number from 1 to 65535, not ${JSON.stringify(text)}`);
}
