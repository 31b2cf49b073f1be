/** All of Kubernetes on one host that boots, from the modules alone, up to a Node that is ready. */
import { firstRights } from './first-rights.ts';
import { type Asking, askingOf } from './hosts/asking.ts';
import { startHosts } from './hosts/start.ts';
import { kubectl } from './kubernetes-cluster.ts';
import { putImage } from './kubernetes-machine.ts';
import { deployKubernetes, firstAdministrator, type Kubernetes } from './kubernetes-member.ts';
import { type Member, memberOf } from './members.ts';
import { newMaterial } from './pki.ts';

export type SingleNode = Asking & {
  member: Member;
  /** Seconds from the start of the switch to the ready Node. */
  secondsToReady: number;
  stop(): Promise<void>;
};

export async function startSingleNode(given: Pick<Kubernetes, 'more' | 'data'> = {}): Promise<SingleNode> {
  const material = await newMaterial('ECDSA-P256');
  const started = await startHosts({ count: 1, flavour: 'kubernetes', names: ['node1'], prepare: putImage });
  try {
    const member = memberOf(started.hosts[0]!, 0);
    const node: SingleNode = { ...askingOf(member.host), member, secondsToReady: 0, stop: started.stop };
    const begun = await deployKubernetes(member, { roles: ['control-plane', 'worker'], material, ...given });
    const first = await firstAdministrator(member, material);
    await node.eventually('the API server', `${first} get --raw /readyz`, 90_000);
    await node.run(`${first} apply -f -`, JSON.stringify(firstRights()));
    await node.run('rm -r /run/first');
    const ready = `${kubectl} wait --for=condition=Ready node/node1 --timeout=1s`;
    await node.eventually('a Node', ready, 90_000);
    return { ...node, secondsToReady: (performance.now() - begun) / 1000 };
  } catch (error) {
    await started.stop();
    throw error;
  }
}
