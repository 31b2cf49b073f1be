import { configOf, flagsOf, type KubernetesHost, lookAt } from '../support/kubernetes-host.ts';

/** As the CIS Kubernetes Benchmark numbers its recommendations. */
describe('flags that upstream’s benchmark looks for', () => {
  const tls = { more: 'firn.kubernetes.etcd.transport = "TLS";' };
  test.each<[number: string, unit: string, flags: Record<string, string | undefined>, host?: KubernetesHost]>(
    [
      ['1.2.2', 'kube-apiserver', { 'token-auth-file': undefined }],
      [
        '1.2.4',
        'kube-apiserver',
        {
          'kubelet-client-certificate': '/etc/kubernetes/pki/apiserver-kubelet-client.crt',
          'kubelet-client-key': '/etc/kubernetes/pki/apiserver-kubelet-client.key',
        },
      ],
      ['1.2.5', 'kube-apiserver', { 'kubelet-certificate-authority': '/etc/kubernetes/pki/ca.crt' }],
      ['1.2.6 to 1.2.8', 'kube-apiserver', { 'authorization-mode': 'Node,RBAC' }],
      ['1.2.15', 'kube-apiserver', { 'enable-admission-plugins': 'NodeRestriction' }],
      ['1.2.16', 'kube-apiserver', { profiling: 'false' }],
      [
        '1.2.17 to 1.2.20',
        'kube-apiserver',
        {
          'audit-log-path': '/var/log/kubernetes/audit.log',
          'audit-log-maxage': '30',
          'audit-log-maxbackup': '10',
          'audit-log-maxsize': '100',
        },
      ],
      ['1.2.23', 'kube-apiserver', { 'service-account-key-file': '/etc/kubernetes/pki/sa.pub' }],
      [
        '1.2.24',
        'kube-apiserver',
        {
          'etcd-certfile': '/etc/kubernetes/pki/apiserver-etcd-client.crt',
          'etcd-keyfile': '/etc/kubernetes/pki/apiserver-etcd-client.key',
          'etcd-cafile': '/etc/kubernetes/pki/etcd/ca.crt',
        },
        tls,
      ],
      [
        '1.2.25 and 1.2.26',
        'kube-apiserver',
        {
          'tls-cert-file': '/etc/kubernetes/pki/apiserver.crt',
          'tls-private-key-file': '/etc/kubernetes/pki/apiserver.key',
          'client-ca-file': '/etc/kubernetes/pki/ca.crt',
          'tls-min-version': 'VersionTLS12',
        },
      ],
      [
        '1.2.27',
        'kube-apiserver',
        { 'encryption-provider-config': '/etc/kubernetes/pki/encryption-config.yaml' },
      ],
      ['1.3.2', 'kube-controller-manager', { profiling: 'false' }],
      [
        '1.3.3 to 1.3.5',
        'kube-controller-manager',
        {
          'use-service-account-credentials': 'true',
          'service-account-private-key-file': '/etc/kubernetes/pki/sa.key',
          'root-ca-file': '/etc/kubernetes/pki/ca.crt',
        },
      ],
      ['1.3.7', 'kube-controller-manager', { 'bind-address': '127.0.0.1' }],
      ['1.4.2', 'kube-scheduler', { 'bind-address': '127.0.0.1' }],
      [
        '2.1 to 2.6',
        'etcd',
        {
          'cert-file': '/etc/kubernetes/pki/etcd/server.crt',
          'key-file': '/etc/kubernetes/pki/etcd/server.key',
          'client-cert-auth': 'true',
          'auto-tls': undefined,
          'peer-cert-file': '/etc/kubernetes/pki/etcd/peer.crt',
          'peer-key-file': '/etc/kubernetes/pki/etcd/peer.key',
          'peer-client-cert-auth': 'true',
          'peer-auto-tls': undefined,
        },
        tls,
      ],
      ['2.7', 'etcd', { 'trusted-ca-file': '/etc/kubernetes/pki/etcd/ca.crt' }, tls],
    ],
  )('%s: %s', async (...[, unit, wanted, host]) => {
    const flags = await flagsOf(unit, host);
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, flags[name]]))).toEqual(wanted);
  });

  test('1.2.1: nobody without a name, but for health', async () => {
    expect((await configOf('authentication.json')).anonymous).toEqual({
      enabled: true,
      conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }],
    });
    expect((await flagsOf('kube-apiserver'))['anonymous-auth']).toBeUndefined();
  });

  test('1.4.1: no profiling of the scheduler', async () => {
    expect(await configOf('scheduler.json')).toMatchObject({ enableProfiling: false });
  });

  test('3.2.1: there is an audit policy, and no level that writes down contents', async () => {
    const { rules } = await configOf('audit-policy.json');
    expect(rules.at(-1)).toEqual({ level: 'Metadata' });
    expect(rules.map(({ level }: { level: string }) => level)).not.toContain('RequestResponse');
  });

  test('4.2: kubelet', async () => {
    expect(await configOf('kubelet.json')).toMatchObject({
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
      },
      authorization: { mode: 'Webhook' },
      readOnlyPort: 0,
      protectKernelDefaults: true,
      eventRecordQPS: 50,
      tlsCertFile: '/etc/kubernetes/pki/kubelet.crt',
      tlsPrivateKeyFile: '/etc/kubernetes/pki/kubelet.key',
    });
  });

  test('1.1.13: root alone reads the administrator’s kubeconfig; no kubeconfig holds a key', async () => {
    const mode = await lookAt({}, 'config.environment.etc."kubernetes/cluster-admin.kubeconfig".mode');
    expect(mode).toBe('0400');
    for (const name of ['cluster-admin', 'kubelet', 'kube-proxy', 'scheduler', 'coredns']) {
      const [user] = (await configOf(`${name}.kubeconfig`)).users;
      expect(Object.keys(user.user).sort()).toEqual(['client-certificate', 'client-key']);
    }
  });
});
