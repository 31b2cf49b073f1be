/** Kubernetes on a booted host without an operator: keys and certificates as ClusterPKI makes them, modules by hand. */
import type { Subject } from '../../controllers/clusterpki/leaves.ts';
import type { Material } from '../../controllers/clusterpki/material.ts';
import { sharedFilesOf } from '../../controllers/clusterpki/shared-files.ts';
import { print } from '../../controllers/lib/nix/print.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { kubeletSettings, machine } from './kubernetes-machine.ts';
import { deliver, deployMember, domain, hostsFile, type Member } from './members.ts';
import { issuance, issueAll } from './pki.ts';
import { keepSecret } from './secrets/registry.ts';

export const serviceNetwork = '10.88.0.0/24';
export const subjectOf = (member: Member, roles: Subject['roles']): Subject => ({
  node: member.host.name,
  roles,
  addresses: member.addresses,
  underlayAddresses: [member.host.address, member.host.address6],
  cluster: { name: 'demo', domain, endpointHost: 'kube.example.com', services: [serviceNetwork] },
});

export type Kubernetes = {
  roles: Subject['roles'];
  material: Material;
  /** Further definitions, as Nix. */
  more?: string;
  /** Further files of fleet data, by name. */
  data?: Record<string, string>;
};

/**
 * Makes the host's users, gives them their files, and switches to a system with Kubernetes: in this order, since that is
 * the order in which an operator does it. Resolves when the switch is over, with the moment when it began.
 */
export async function deployKubernetes(
  member: Member,
  { roles, material, more = '', data = {} }: Kubernetes,
): Promise<number> {
  const settings = `
    firn.mesh.enable = false;
    firn.network.routing = "External";
    firn.kubernetes = {
      roles = [ ${roles.map((role) => `"${role}"`).join(' ')} ];
      nodeName = "${member.host.name}";
      runtime = "Containerd";
      podSubnets = [ ${member.podCIDRs.map((cidr) => `"${cidr}"`).join(' ')} ];
    };
    ${more}`;
  await deliver(member, { hosts: hostsFile([member]), 'node-addresses': '', ...data });
  await deployMember(member, settings);
  await giveKeys(member, subjectOf(member, roles), material);
  const begun = performance.now();
  const kubelet = `firn.kubernetes.kubelet.settings = ${print(kubeletSettings)};`;
  const enabled = `${settings} ${machine} ${kubelet} firn.kubernetes.enable = true;`;
  await deployMember(member, enabled);
  return begun;
}

async function giveKeys(member: Member, subject: Subject, material: Material): Promise<void> {
  const put = (path: string, owner: string, mode: number, input: string | Uint8Array) =>
    member.host.run(
      `umask 077; mkdir -p "$(dirname ${path})"; chmod 755 /etc/kubernetes "$(dirname ${path})"
       cat >${path}; chown ${owner}: ${path}; chmod ${mode.toString(8)} ${path}`,
      { input },
    );
  for (const { path, owner, mode, content } of sharedFilesOf(subject, material))
    await put(path, owner, mode, content.open());
  for (const { leaf, certificate, key } of (await issueAll(subject, material, 'ECDSA-P256')).values()) {
    await put(leaf.certificatePath, 'root', 0o444, certificate);
    await put(leaf.keyPath, leaf.owner, 0o400, key.open());
  }
}

/** A user of system:masters, whom the API server obeys before anybody was given any right. For the first rights alone. */
export async function firstAdministrator(member: Member, material: Material): Promise<string> {
  const spec = { commonName: 'first', organizations: ['system:masters'], ends: ['client auth'] as const };
  const issued = await issueLeaf(
    material.authorities.cluster.signer,
    { ...spec, algorithm: 'ECDSA-P256', lifetimeMs: 3_600_000 },
    issuance(),
  );
  keepSecret('key of the first administrator', issued.key.open());
  await member.host.run('umask 077; mkdir -p /run/first; cat >/run/first/client.crt', {
    input: issued.certificate,
  });
  await member.host.run('umask 077; cat >/run/first/client.key', { input: issued.key.open() });
  return (
    'kubectl --server=https://127.0.0.1:6443 --certificate-authority=/etc/kubernetes/pki/ca.crt ' +
    '--client-certificate=/run/first/client.crt --client-key=/run/first/client.key'
  );
}
