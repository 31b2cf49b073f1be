import { createHash } from 'node:crypto';
import type { Tree } from '../../controllers/lib/nix/tree.ts';
import { hostContract } from '../support/host-contract.ts';
import { startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

// A scripted host does not run the program: any text will do, of a size like the real one's.
const text = `# program\n${'#'.repeat(80_000)}\n`;
const program = { text, hash: createHash('sha256').update(text).digest('hex') };

hostContract('a scripted host', async () => {
  const fleet = await startScriptedHosts({ count: 1 });
  const [host] = fleet.hosts;
  const failing = (file: string) => ({ when: (bundle: Tree) => bundle.has(`toplevel/${file}`) });
  host!.faults.add({
    kind: 'buildFails',
    reason: 'BuildFailed',
    message: 'the reason why',
    ...failing('unbuildable'),
  });
  host!.faults.add({
    kind: 'activationFails',
    reason: 'ActivationFailed',
    message: 'a word on it',
    ...failing('fails'),
  });
  return {
    address: host!.address,
    port: host!.port,
    hostKey: host!.hostKey,
    privateKey: fleet.privateKey,
    program,
    [Symbol.asyncDispose]: fleet.close,
  };
});
