import { createHash } from 'node:crypto';
import { hostContract } from '../support/host-contract.ts';
import { startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

// A scripted host does not run the program: any text will do, of a size like the real one's.
const text = `# program\n${'#'.repeat(80_000)}\n`;
const program = { text, hash: createHash('sha256').update(text).digest('hex') };

hostContract('a scripted host', async () => {
  const fleet = await startScriptedHosts({ count: 1 });
  const [host] = fleet.hosts;
  return {
    address: host!.address,
    port: host!.port,
    hostKey: host!.hostKey,
    privateKey: fleet.privateKey,
    program,
    [Symbol.asyncDispose]: fleet.close,
  };
});
