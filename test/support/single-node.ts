/** All of Kubernetes on one host that boots, from the modules alone, up to a Node that is ready. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstRights } from './first-rights.ts';
import { startHosts } from './hosts/start.ts';
import { busyboxImage } from './images.ts';
import { deployKubernetes, firstAdministrator, type Kubernetes, testImage } from './kubernetes-member.ts';
import { type Member, memberOf } from './members.ts';
import { newMaterial } from './pki.ts';
import { waitFor } from './wait.ts';

export const kubectl = 'KUBECONFIG=/etc/kubernetes/cluster-admin.kubeconfig kubectl';

export type SingleNode = {
  member: Member;
  /** Runs a script on the host; what it printed, without blanks at the ends. */
  run(script: string, input?: string): Promise<string>;
  attempt(script: string): Promise<{ stdout: string; stderr: string; code: number }>;
  /** Waits until a script succeeds; what it said last is part of the error. */
  eventually(what: string, script: string, withinMs: number): Promise<string>;
  /** Seconds from the start of the switch to the ready Node. */
  secondsToReady: number;
  stop(): Promise<void>;
};

export async function startSingleNode(given: Pick<Kubernetes, 'more' | 'data'> = {}): Promise<SingleNode> {
  const material = await newMaterial('ECDSA-P256');
  const started = await startHosts({ count: 1, flavour: 'kubernetes', names: ['node1'] });
  try {
    const member = memberOf(started.hosts[0]!, 0);
    const node: SingleNode = { ...askingOf(member), member, secondsToReady: 0, stop: started.stop };
    const begun = await deployKubernetes(member, { roles: ['control-plane', 'worker'], material, ...given });
    const first = await firstAdministrator(member, material);
    await node.eventually('the API server', `${first} get --raw /readyz`, 90_000);
    await node.run(`${first} apply -f -`, JSON.stringify(firstRights()));
    await node.run('rm -r /run/first');
    await importImage(member);
    const ready = `${kubectl} wait --for=condition=Ready node/node1 --timeout=1s`;
    await node.eventually('a Node', ready, 90_000);
    return { ...node, secondsToReady: (performance.now() - begun) / 1000 };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function importImage({ host }: Member): Promise<void> {
  const busybox = readFileSync(join(host.root, 'usr/lib/firn-loader/busybox'));
  const image = await busyboxImage(testImage, busybox);
  await host.run('ctr -n k8s.io images import -', { input: image });
}

function askingOf({ host }: Member): Pick<SingleNode, 'run' | 'attempt' | 'eventually'> {
  const attempt = (script: string) => host.run(script, { allowFailure: true });
  return {
    run: async (script, input = '') => (await host.run(script, { input })).stdout.trim(),
    attempt,
    eventually: async (what, script, withinMs) => {
      let last = { stdout: '', stderr: '', code: 0 };
      const ask = async () => {
        last = await attempt(script);
        return last.code === 0;
      };
      await waitFor(what, ask, { withinMs, everyMs: 250, otherwise: () => last });
      return last.stdout.trim();
    },
  };
}
