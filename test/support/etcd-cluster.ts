/** A cluster of real members of etcd, and the controller's step on them, without an API server around it. */
import { randomUUID } from 'node:crypto';
import { authorityData } from '../../controllers/clusterpki/authority-secret.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { ReconcileError } from '../../controllers/lib/core/outcome.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Authority } from '../../controllers/lib/pki/authority.ts';
import { fingerprintOf } from '../../controllers/lib/pki/inspect.ts';
import { type EtcdVisit, tendEtcd } from '../../controllers/nixcluster/etcd/tend.ts';
import { type ClusterEtcd, type ClusterNode, ClusterPKI, type NixCluster } from '../../crds/index.ts';
import { clusterOf } from './cluster-objects.ts';
import { idleAuthority, newAuthority, secretOf } from './pki.ts';
import { EtcdHost } from './real-etcd.ts';
import { type ScriptedFleet, startScriptedHosts } from './ssh-server/scripted-hosts.ts';
import { startTargets, type TestTargets } from './targets.ts';

export type Look = { etcd: ClusterEtcd | undefined; said: ReconcileError | null };

export class EtcdCluster implements AsyncDisposable {
  readonly hosts: EtcdHost[];
  readonly events: string[] = [];
  annotations: Record<string, string> = {};
  etcd: ClusterEtcd | undefined;
  readonly #uid = randomUUID();
  readonly #fleet: ScriptedFleet;
  readonly #targets: TestTargets;
  readonly #authority: Authority;

  private constructor(fleet: ScriptedFleet, hosts: EtcdHost[], authority: Authority) {
    this.#fleet = fleet;
    this.hosts = hosts;
    this.#authority = authority;
    this.#targets = startTargets();
  }

  static async start(count: number): Promise<EtcdCluster> {
    const fleet = await startScriptedHosts({ count });
    const authority = await newAuthority('etcd-ca');
    const hosts = fleet.hosts.map(
      (ssh, index) => new EtcdHost(`node${index + 1}`, index + 1, ssh, 'deploy-key'),
    );
    for (const host of hosts) await host.prepare(authority);
    return new EtcdCluster(fleet, hosts, authority);
  }

  host(name: string): EtcdHost {
    return this.hosts.find((one) => one.name === name)!;
  }

  /** nixnode visits every host, then nixcluster looks once. */
  async look(): Promise<Look> {
    for (const host of this.hosts) host.visit(this.etcd);
    const cluster = this.#object();
    const nodes = this.hosts.map(({ name, uid, address, isLeaving }, at): ClusterNode => {
      const place = { podCIDRs: [], addresses: [address], underlayAddresses: [] };
      // Its pods have left it.
      const departure = isLeaving && {
        departure: { stage: 'LeavingEtcd' as const, since: '2026-11-21T10:00:00Z' },
      };
      return { name, uid, index: at + 1, roles: ['control-plane'], ...place, ...departure };
    });
    const members = this.hosts.map((host) => host.object());
    const context = this.#context();
    try {
      await tendEtcd({ cluster, members, nodes, context, targets: this.#targets });
      return { etcd: this.etcd, said: null };
    } catch (error) {
      if (error instanceof ReconcileError) return { etcd: this.etcd, said: error };
      throw error;
    }
  }

  /** Looks until it is as wanted; the message of a failure holds what was said, and the members' logs. */
  async until(what: string, fits: (look: Look) => boolean, withinMs = 90_000): Promise<Look> {
    const end = Date.now() + withinMs;
    for (;;) {
      const look = await this.look();
      if (fits(look)) return look;
      if (Date.now() > end) {
        const logs = this.hosts.map(({ name, log }) => `${name}: ${log.slice(-1500)}`).join('\n');
        throw new Error(`not ${what}: ${look.said?.message}\n${JSON.stringify(look.etcd, null, 1)}\n${logs}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  healthy = (): Promise<Look> =>
    this.until('healthy', ({ said, etcd }) => !said && etcd?.state === 'Healthy');

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) host.remove();
    await this.#targets[Symbol.asyncDispose]();
    await this.#fleet.close();
  }

  #object(): NixCluster {
    const cluster = clusterOf({ services: ['10.0.0.0/24'] }, this.etcd && { etcd: this.etcd });
    return { ...cluster, metadata: { ...cluster.metadata, uid: this.#uid, annotations: this.annotations } };
  }

  #context(): EtcdVisit['context'] {
    const secrets = new Map([
      ['deploy-key', secretOf('deploy-key', { 'ssh-privatekey': new Sealed(this.#fleet.privateKey) })],
      ['etcd-ca', secretOf('etcd-ca', authorityData(idleAuthority(this.#authority)))],
    ]);
    const pki = ClusterPKI.parse({
      apiVersion: 'firn.dev/v1alpha1',
      kind: 'ClusterPKI',
      metadata: { name: 'demo', namespace: 'demo', uid: 'pki', resourceVersion: '1' },
      spec: {},
      status: {
        authorities: [
          {
            ...{ name: 'etcd', secretName: 'etcd-ca', notAfter: '2036-11-21T10:00:00Z' },
            fingerprint: fingerprintOf(this.#authority.certificate),
          },
        ],
      },
    });
    const read = {
      get: () => pki,
      load: async (_: unknown, __: string, name: string) => secrets.get(name),
    };
    return {
      read,
      signal: AbortSignal.timeout(60_000),
      clock: systemClock,
      report: (fields: { etcd?: ClusterEtcd }) => void Object.assign(this, fields),
      publishNow: async () => {},
      event: (type: string, reason: string, message: string) =>
        void this.events.push(`${type} ${reason}: ${message}`),
    } as unknown as EtcdVisit['context'];
  }
}
