/** What a node is made of is not there, or not of use. */
import { newCanary } from '../canary.ts';
import { apply, namespace } from '../fleet.ts';
import { change, type FailureRow, type Stage } from './play.ts';

const configMap = (name: string, content: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  ...content,
});
const secret = (name: string, stringData: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
});
const rendered = { condition: 'Rendered', kind: 'Reconciling' } as const;

const moduleFrom = ({ name }: Stage) => ({
  modules: [{ configMapRef: { name: `of-${name}`, key: 'a.nix' } }],
});
const fileFrom =
  (kind: 'secretRef' | 'configMapRef') =>
  ({ name }: Stage) => ({ files: [{ path: '/run/keys/a', [kind]: { name: `of-${name}`, key: 'a' } }] });

const giveModule = ({ name, cluster }: Stage) =>
  apply(cluster, configMap(`of-${name}`, { data: { 'a.nix': '{ }' } }));

export const inputRows: FailureRow[] = [
  {
    ...rendered,
    ...{ what: 'the ConfigMap of a module is not there', reason: 'ConfigMapNotFound' },
    says: [/ConfigMap of-node-\d+ does not exist/, /create it/],
    spec: moduleFrom,
    repair: giveModule,
  },
  {
    ...rendered,
    ...{ what: 'the ConfigMap of a module lacks the key', reason: 'ConfigMapKeyNotFound' },
    says: [/ConfigMap of-node-\d+ has no key a\.nix/, /add it, or correct the reference/],
    objects: ({ name }) => [configMap(`of-${name}`, { data: { 'b.nix': '{ }' } })],
    spec: moduleFrom,
    repair: giveModule,
  },
  {
    ...rendered,
    ...{ what: 'the ConfigMap of a module holds no text', reason: 'InvalidModule', kind: 'Stalled' },
    says: [/key a\.nix of ConfigMap of-node-\d+ is not UTF-8 text/, /put a NixOS module there/],
    objects: ({ name }) => [configMap(`of-${name}`, { binaryData: { 'a.nix': '/w==' } })],
    spec: moduleFrom,
    repair: ({ name, cluster }) =>
      apply(cluster, configMap(`of-${name}`, { data: { 'a.nix': '{ }' }, binaryData: {} })),
  },
  {
    ...rendered,
    ...{ what: 'the ConfigMap of a file is not there', reason: 'ConfigMapNotFound' },
    says: [/ConfigMap of-node-\d+ does not exist/, /create it/],
    spec: fileFrom('configMapRef'),
    repair: ({ name, cluster }) => apply(cluster, configMap(`of-${name}`, { data: { a: 'public' } })),
  },
  {
    ...rendered,
    ...{ what: 'the Secret of a file is not there', reason: 'SecretNotFound' },
    says: [/Secret of-node-\d+ does not exist/, /create it/],
    spec: fileFrom('secretRef'),
    repair: ({ name, cluster }) => apply(cluster, secret(`of-${name}`, { a: newCanary() })),
  },
  {
    ...rendered,
    ...{ what: 'the Secret of a file lacks the key', reason: 'SecretKeyNotFound' },
    says: [/Secret of-node-\d+ has no key a;/, /add it/],
    objects: ({ name }) => [secret(`of-${name}`, { b: newCanary() })],
    spec: fileFrom('secretRef'),
    repair: ({ name, cluster }) => apply(cluster, secret(`of-${name}`, { a: newCanary() })),
  },
  {
    ...rendered,
    ...{ what: 'nothing is resolved while it is paused', reason: 'Paused' },
    says: [/is not resolved yet/, /spec\.deploy\.mode is Paused/],
    spec: () => ({ deploy: { mode: 'Paused' } }),
    repair: (stage) => change(stage, { deploy: { mode: 'Apply' } }),
  },
];
