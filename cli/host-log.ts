import { systemClock } from '../controllers/lib/core/clock.ts';
import { createHosts } from '../controllers/lib/host/hosts.ts';
import { readPrivateKey } from '../controllers/lib/host/keys.ts';
import { defaultLimits } from '../controllers/lib/host/limits.ts';
import { programHash, programText } from '../controllers/lib/host/program.ts';
import { type Secret, SecretKind } from '../controllers/lib/kube/core-kinds.ts';
import { isNotFound } from '../controllers/lib/kube/kube-error.ts';
import { loginOf } from '../controllers/nixnode/login.ts';
import type { NixNode } from '../crds/index.ts';
import { CliError } from './command.ts';
import type { Connection } from './connect.ts';

const deadlineMs = 30_000;

/** The last lines of a step on the host; empty where there are none. Throws `HostError`, whose message says what to do. */
export async function readHostLog(
  connection: Connection,
  node: NixNode,
  asked: { what: string; lines: number },
  signal: AbortSignal,
): Promise<string> {
  const { keyRef, jump, hostKeyPolicy } = node.spec.ssh;
  const key = await readSecret(connection, keyRef.name, signal);
  const jumpKey = jump && (await readSecret(connection, jump.keyRef.name, signal));
  const { target } = loginOf(node, { key, jumpKey }, readPrivateKey);
  // Only the operator pins a key on first use: it alone can record it.
  if (hostKeyPolicy === 'TrustOnFirstUse' && target.hostKeys.length === 0) {
    throw new CliError('the operator has not seen this host yet, so its key is not known');
  }
  const hosts = createHosts({
    clock: systemClock,
    program: { text: programText, hash: programHash },
    limits: defaultLimits,
  });
  try {
    const options = { signal, deadlineMs };
    const reply = await hosts.at({ ...target, trustFirstKey: false }).call('log', asked, options);
    return reply.textB64;
  } finally {
    await hosts.close();
  }
}

async function readSecret(
  { client, namespace }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<Secret> {
  try {
    return SecretKind.parse(
      await client.get(SecretKind, { namespace, name }, { signal, deadlineMs: 15_000 }),
    );
  } catch (error) {
    if (isNotFound(error)) throw new CliError(`there is no Secret ${name} in namespace ${namespace}`);
    throw error;
  }
}
