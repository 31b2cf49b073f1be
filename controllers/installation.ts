/** The identity of this operator in its bootstrap cluster; it outlives restarts, and replicas share it. */
import { randomBytes } from 'node:crypto';
import type { KubeClient } from './lib/kube/client.ts';
import { SecretKind } from './lib/kube/core-kinds.ts';
import { isConflict, isNotFound } from './lib/kube/kube-error.ts';
import type { Services } from './nixnode/services.ts';

const name = 'firn-installation';

/**
 * Reads the Secret `firn-installation`, made on the first start. Whoever loses it deploys as a stranger: hosts answer
 * `OwnedByOther` until they are adopted. Throws `KubeError`.
 */
export async function loadInstallation(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<Services['installation']> {
  const read = async () => SecretKind.parse(await client.get(SecretKind, { namespace, name }, { signal }));
  const secret = await read().catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error;
    await create(client, namespace, signal);
    return read();
  });
  const { id, hmacKey } = secret.data;
  const text = id && new TextDecoder().decode(id.open());
  if (!text || !/^[0-9a-f]{32}$/.test(text) || !hmacKey) {
    throw new Error(`Secret ${namespace}/${name} does not hold an installation's identity: id and hmacKey`);
  }
  return { id: text, hmacKey };
}

async function create(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const data = { id: base64(randomBytes(16).toString('hex')), hmacKey: randomBytes(32).toString('base64') };
  try {
    await client.create(SecretKind, { metadata: { namespace, name }, type: 'Opaque', data }, { signal });
  } catch (error) {
    // Another replica was first.
    if (!isConflict(error)) throw error;
  }
}
