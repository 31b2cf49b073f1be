/** What an addon does in a cluster: two real API servers, one with the ClusterAddon, one with what it applies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AddonPlay, addonIn, readyOf, startAddonPlay } from '../support/addons.ts';
import { newCanary } from '../support/canary.ts';
import { eventually } from '../support/eventually.ts';
import { waitFor } from '../support/wait.ts';

let play: AddonPlay;

beforeAll(async () => {
  play = await startAddonPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

const namespaceYaml = (name: string) => `apiVersion: v1
kind: Namespace
metadata: { name: ${name} }
`;
const configMapYaml = (namespace: string, name: string, value = 'one') => `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${namespace} }
data: { key: ${value} }
`;
const documents = (...all: string[]): string => all.join('---\n');

const exists = async (kind: string, name: string, namespace: string): Promise<boolean> =>
  (await play.target.kubectl(['get', kind, name, '-n', namespace])).code === 0;
const keyIn = (namespace: string, name: string): Promise<string> =>
  play.there(['get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.data.key}']);

const inventoryOf = (namespace: string, length: number): Promise<void> =>
  eventually(async () => expect((await play.get(namespace)).status.inventory).toHaveLength(length), 30_000);

describe('from manifests to objects', () => {
  const namespace = 'living';

  test('ConfigMaps and inline text, in an order that works, whatever order they are written in', async () => {
    await play.newCluster(namespace);
    await play.kubectl(['apply', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'two-files', namespace },
      data: {
        'a.yaml': configMapYaml('monitoring', 'from-a'),
        'b.yaml': configMapYaml('monitoring', 'from-b'),
      },
    });
    await play.apply([
      addonIn(
        namespace,
        [
          documents(configMapYaml('monitoring', 'inline'), namespaceYaml('monitoring')),
          { name: 'two-files' },
        ],
        { prune: true },
      ),
    ]);
    const seen = await play.until(namespace, 'Reconciled');
    expect(seen.status).toMatchObject({
      summary: 'Healthy',
      objects: '4/4',
      health: { current: 4, inProgress: 0, failed: 0, terminating: 0 },
      troubled: [],
    });
    expect(seen.status.inventory?.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'ConfigMap from-a',
      'ConfigMap from-b',
      'ConfigMap inline',
      'Namespace monitoring',
    ]);
    const made = JSON.parse(
      await play.there([
        'get',
        'configmap',
        'inline',
        '-n',
        'monitoring',
        '-o',
        'json',
        '--show-managed-fields',
      ]),
    );
    expect(made.metadata.labels).toEqual({ 'firn.dev/addon': 'demo' });
    expect(made.metadata.annotations).toEqual({ 'firn.dev/addon-uid': seen.metadata.uid });
    expect(made.metadata.managedFields).toMatchObject([{ manager: 'firn-addon-demo', operation: 'Apply' }]);
    const table = await play.kubectl(['get', 'addon', '-n', namespace]);
    expect(table.split('\n')[1]).toMatch(/^demo\s+demo\s+4\/4\s+True\s+Healthy/);
  });

  test('looking again writes nothing', async () => {
    const versions = () =>
      play.there([
        'get',
        'configmaps',
        '-n',
        'monitoring',
        '-o',
        'jsonpath={.items[*].metadata.resourceVersion}',
      ]);
    const before = await versions();
    await play.kubectl(['annotate', 'clusteraddon', 'demo', '-n', namespace, 'look=again']);
    await play.until(namespace, 'Reconciled');
    expect(await versions()).toBe(before);
  });

  test('and does not even ask: the cluster tells by itself what changed', async () => {
    const applied = async (): Promise<number> => {
      const metrics = await play.there(['get', '--raw', '/metrics']);
      const lines = metrics
        .split('\n')
        .filter((line) =>
          /^apiserver_request_total\{.*resource="(configmaps|namespaces)".*verb="APPLY"/.test(line),
        );
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    // One more look follows after the last change was heard.
    const settled = async (): Promise<number> => {
      const count = await applied();
      await sleep(3_000);
      return count === (await applied()) ? count : settled();
    };
    const before = await settled();
    expect(before).toBeGreaterThan(3);
    for (const look of ['a', 'b', 'c']) {
      await play.kubectl([
        'annotate',
        'clusteraddon',
        'demo',
        '-n',
        namespace,
        `look=${look}`,
        '--overwrite',
      ]);
      await sleep(500);
    }
    await play.until(namespace, 'Reconciled');
    expect(await applied()).toBe(before);
  });

  test('what somebody deletes is back within seconds', async () => {
    await play.there(['delete', 'configmap', 'inline', '-n', 'monitoring']);
    await waitFor('it', () => exists('configmap', 'inline', 'monitoring'), { withinMs: 20_000 });
  });

  test('also after the cluster was away', async () => {
    await play.target.restartApiserver();
    await play.there(['delete', 'configmap', 'inline', '-n', 'monitoring']);
    await waitFor('it', () => exists('configmap', 'inline', 'monitoring'), { withinMs: 90_000 });
    await play.until(namespace, 'Reconciled');
  });

  test('a changed ConfigMap changes the cluster; what leaves it is deleted', async () => {
    await play.kubectl(['apply', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'two-files', namespace },
      data: { 'a.yaml': configMapYaml('monitoring', 'from-a', 'two') },
    });
    await waitFor('the change', async () => (await keyIn('monitoring', 'from-a')) === 'two');
    await waitFor('the deletion', async () => !(await exists('configmap', 'from-b', 'monitoring')));
    const seen = await eventually(async () => {
      const now = await play.get(namespace);
      expect(now.status.objects).toBe('3/3');
      expect(now.status.inventory).toHaveLength(3);
      return now;
    }, 30_000);
    expect(readyOf(seen)?.status).toBe('True');
    const events = await play.kubectl(['get', 'events', '-n', namespace]);
    expect(events).toContain('deleted ConfigMap monitoring/from-b');
  });

  test('a copy of an object, labels and all, is nobody the addon knows; nor is a namesake', async () => {
    await play.apply([
      addonIn(
        namespace,
        [
          documents(
            namespaceYaml('monitoring'),
            configMapYaml('monitoring', 'inline'),
            configMapYaml('monitoring', 'mine'),
          ),
        ],
        { prune: true },
      ),
    ]);
    await waitFor('the object', () => exists('configmap', 'mine', 'monitoring'));
    const labels = { 'firn.dev/addon': 'demo' };
    const copy = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'copy', namespace: 'monitoring', labels },
    };
    await play.there(['create', '-f', '-'], copy);
    // As one says of itself that another addon of the name has made.
    const another = ['firn.dev/addon-uid=another', '--overwrite', '--field-manager=somebody'];
    await play.there(['annotate', 'configmap', 'mine', '-n', 'monitoring', ...another]);
    await play.until(namespace, 'FieldConflict');
    await play.apply([
      addonIn(namespace, [documents(namespaceYaml('monitoring'), configMapYaml('monitoring', 'inline'))], {
        prune: true,
      }),
    ]);
    await inventoryOf(namespace, 2);
    expect(await exists('configmap', 'copy', 'monitoring')).toBe(true);
    expect(await exists('configmap', 'mine', 'monitoring')).toBe(true);
    expect(await play.kubectl(['get', 'events', '-n', namespace])).toContain(
      'ConfigMap monitoring/mine is left',
    );
  });

  test('without prune it stays, and is forgotten', async () => {
    await play.apply([addonIn(namespace, [namespaceYaml('monitoring')])]);
    await inventoryOf(namespace, 1);
    expect(await exists('configmap', 'inline', 'monitoring')).toBe(true);
  });

  test('manifests that are empty by accident take nothing away', async () => {
    await play.apply([addonIn(namespace, ['# nothing\n'], { prune: true })]);
    const seen = await play.until(namespace, 'ManifestsEmpty');
    expect(seen.status.inventory).toHaveLength(1);
    expect(await exists('namespace', 'monitoring', '')).toBe(true);
  });
});

const crdYaml = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, properties: { size: { type: integer, maximum: 9 } } }
            status: { type: object, x-kubernetes-preserve-unknown-fields: true }
`;
const widgetYaml = (namespace: string, size: number) => `apiVersion: example.com/v1
kind: Widget
metadata: { name: one, namespace: ${namespace} }
spec: { size: ${size} }
`;
const deploymentYaml = (namespace: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`;

describe('kinds that come with it, and how objects are', () => {
  const namespace = 'widgets';

  test('a CRD is waited for before its objects', async () => {
    await play.newCluster(namespace);
    await play.apply([
      addonIn(namespace, [documents(widgetYaml('w', 3), namespaceYaml('w'), crdYaml)], { prune: true }),
    ]);
    const seen = await play.until(namespace, 'Reconciled');
    expect(seen.status.objects).toBe('3/3');
    expect(await play.there(['get', 'widget', 'one', '-n', 'w', '-o', 'jsonpath={.spec.size}'])).toBe('3');
  });

  test('what a custom object says of itself counts', async () => {
    const say = (status: object) =>
      play.there([
        'patch',
        'widget',
        'one',
        '-n',
        'w',
        '--subresource=status',
        '--type=merge',
        '-p',
        JSON.stringify({ status }),
      ]);
    await say({ conditions: [{ type: 'Ready', status: 'False', message: 'winding up' }] });
    const seen = await play.until(namespace, 'ObjectsInProgress');
    expect(seen.status).toMatchObject({
      objects: '2/3',
      troubled: [{ object: 'Widget.example.com w/one', state: 'InProgress', message: 'winding up' }],
    });
    await say({ conditions: [{ type: 'Ready', status: 'True' }] });
    await play.until(namespace, 'Reconciled');
  });

  test('a Deployment is waited for, and told of when it fails', async () => {
    await play.apply([
      addonIn(namespace, [documents(namespaceYaml('w'), deploymentYaml('w'))], { prune: false }),
    ]);
    const starting = await play.until(namespace, 'ObjectsInProgress');
    expect(readyOf(starting)?.message).toBe('Deployment.apps w/web: 0 of 2 pods are updated');
    const status = (more: object) => JSON.stringify({ status: { observedGeneration: 1, ...more } });
    const say = (text: string) =>
      play.there([
        'patch',
        'deployment',
        'web',
        '-n',
        'w',
        '--subresource=status',
        '--type=merge',
        '-p',
        text,
      ]);
    const condition = {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'no image',
    };
    await say(status({ conditions: [condition] }));
    const seen = await play.until(namespace, 'ObjectsFailed');
    expect(seen.status.troubled).toMatchObject([
      { object: 'Deployment.apps w/web', state: 'Failed', message: 'no image' },
    ]);
    await say(
      status({ conditions: [], replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }),
    );
    await play.until(namespace, 'Reconciled');
  });
});

describe('what cannot be applied is said', () => {
  const namespace = 'refused';
  beforeAll(() => play.newCluster(namespace));

  const messageFor = async (reason: string, manifests: readonly string[], spec = {}) => {
    await play.apply([addonIn(namespace, manifests, spec)]);
    return readyOf(await play.until(namespace, reason))?.message;
  };

  test('an object that the server refuses, by its place and in the words of the server', async () => {
    const manifests = [namespaceYaml('r'), documents(configMapYaml('r', 'good'), widgetYaml('r', 10))];
    expect(await messageFor('ObjectRefused', manifests)).toMatch(
      /^manifests\[1\], document 2: Widget\.example\.com r\/one: 422 .*should be less than or equal to 9/,
    );
    expect(await exists('configmap', 'good', 'r')).toBe(true);
    expect((await play.get(namespace)).status.objects).toBe('2/3');
  });

  test('a field that there is not', async () => {
    const text = configMapYaml('r', 'typo').replace('\ndata:', '\ndota:');
    expect(await messageFor('ObjectRefused', [text])).toMatch(/ConfigMap r\/typo: .*dota/);
  });

  test('a Secret is never quoted', async () => {
    const canary = newCanary();
    const text = `apiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: r }\ntype: kubernetes.io/tls\ndata: { tls.crt: "${canary}!" }\n`;
    const message = await messageFor('ObjectRefused', [text]);
    expect(message).toContain('manifests[0], document 1: Secret r/s: ');
    expect(message).not.toContain(canary);
  });

  test.each([
    ['YAML that is none', 'a: [1\nb: 2', 'ManifestUnreadable', /manifests\[0\] cannot be read: .* at line 2/],
    ['an alias', 'a: &x [1]\nb: [*x, *x]', 'ManifestUnreadable', /it has aliases/],
    ['a document that is no object', '- a\n- b', 'ManifestInvalid', /document 1 is not an object/],
    [
      'an object twice',
      documents(namespaceYaml('r'), namespaceYaml('r')),
      'ManifestInvalid',
      /document 2 has Namespace r, and so has manifests\[0\], document 1/,
    ],
    [
      'no namespace',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: lost }\n',
      'ManifestInvalid',
      /ConfigMap lost without metadata\.namespace/,
    ],
    [
      'a namespace where there is none',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: n, namespace: r }\n',
      'ManifestInvalid',
      /whose kind has no namespaces/,
    ],
    [
      'a kind that there is not',
      'apiVersion: example.org/v1\nkind: Gadget\nmetadata: { name: g }\n',
      'KindUnknown',
      /does not know Gadget of example\.org\/v1/,
    ],
  ])('%s', async (_, text, reason, message) => {
    expect(await messageFor(reason, [text])).toMatch(message);
  });

  test('a ConfigMap that is not there', async () => {
    await play.apply([addonIn(namespace, [{ name: 'missing' }])]);
    await play.until(namespace, 'ConfigMapNotFound');
  });
});

describe('others who want the same', () => {
  const namespace = 'shared';
  beforeAll(async () => {
    await play.newCluster(namespace);
    await play.there(['create', 'namespace', 's']);
  });
  const apply = (spec = {}, name = 'demo') =>
    play.apply([addonIn(namespace, [configMapYaml('s', 'contested')], spec, name)]);

  test('Report leaves the object as it is, and says which field and who', async () => {
    await apply();
    await play.until(namespace, 'Reconciled');
    await play.there([
      'patch',
      'configmap',
      'contested',
      '-n',
      's',
      '--field-manager=somebody',
      '-p',
      '{"data":{"key":"other"}}',
    ]);
    const seen = await play.until(namespace, 'FieldConflict');
    expect(readyOf(seen)?.message).toContain('ConfigMap s/contested: others keep .data.key (somebody)');
    expect(await keyIn('s', 'contested')).toBe('other');
  });

  test('what is put back by others is heard of', async () => {
    await play.there([
      'patch',
      'configmap',
      'contested',
      '-n',
      's',
      '--field-manager=somebody',
      '-p',
      '{"data":{"key":"one"}}',
    ]);
    await play.until(namespace, 'Reconciled');
    await play.there([
      'patch',
      'configmap',
      'contested',
      '-n',
      's',
      '--field-manager=somebody',
      '-p',
      '{"data":{"key":"other"}}',
    ]);
    await play.until(namespace, 'FieldConflict');
  });

  test('Force takes it over, and tells', async () => {
    await apply({ conflicts: 'Force' });
    await play.until(namespace, 'Reconciled');
    expect(await keyIn('s', 'contested')).toBe('one');
    expect(await play.kubectl(['get', 'events', '-n', namespace])).toContain('took .data.key from somebody');
  });

  test('two addons with one object do not fight, not even by force', async () => {
    await apply({ conflicts: 'Force' }, 'other');
    const seen = await play.until(namespace, 'ObjectShared', 'other');
    expect(readyOf(seen)?.message).toContain('ClusterAddon demo has it in its manifests too');
    await play.until(namespace, 'Reconciled');
  });
});

describe('the end of an addon', () => {
  const namespace = 'ending';
  beforeAll(async () => {
    await play.newCluster(namespace);
    await play.there(['create', 'namespace', 'e']);
  });
  const make = async (name: string, spec = {}) => {
    await play.apply([addonIn(namespace, [configMapYaml('e', name)], spec, name)]);
    await play.until(namespace, 'Reconciled', name);
  };

  test('what it applied stays', async () => {
    await make('stays');
    await play.kubectl(['delete', 'clusteraddon', 'stays', '-n', namespace]);
    expect(await exists('configmap', 'stays', 'e')).toBe(true);
  });

  test('or goes, where that is asked for, and the addon waits for it', async () => {
    await make('goes', { deletionPolicy: 'Delete' });
    await play.there([
      'patch',
      'configmap',
      'goes',
      '-n',
      'e',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.com/hold"]}}',
    ]);
    await play.kubectl(['delete', 'clusteraddon', 'goes', '-n', namespace, '--wait=false']);
    const seen = await play.until(namespace, 'ObjectsGoing', 'goes');
    expect(readyOf(seen)?.message).toContain('ConfigMap e/goes (waits for example.com/hold); to let it go');
    await play.there([
      'patch',
      'configmap',
      'goes',
      '-n',
      'e',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ]);
    await waitFor(
      'its end',
      async () => (await play.kubectl(['get', 'clusteraddons', '-n', namespace, '-o', 'name'])) === '',
    );
    expect(await exists('configmap', 'goes', 'e')).toBe(false);
  });

  test('with its cluster gone it just goes', async () => {
    await make('alone', { deletionPolicy: 'Delete' });
    await play.kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
    await play.kubectl(['delete', 'clusteraddon', 'alone', '-n', namespace]);
    expect(await exists('configmap', 'alone', 'e')).toBe(true);
  });
});
