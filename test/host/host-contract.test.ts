import { readFileSync } from 'node:fs';
import { programHash, programText } from '../../controllers/lib/host/program.ts';
import { hostContract } from '../support/host-contract.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { startHosts } from '../support/hosts/start.ts';

/** sshd shuts out who often connects and does not log in, as streams to it do that nobody speaks on: sshd_config(5). */
const tolerant = `
printf '%s\\n' 'PerSourcePenalties no' 'MaxStartups 100' >/etc/ssh/sshd_config.d/00-tolerant.conf
systemctl reload ssh`;

hostContract('a booted host', async () => {
  const started = await startHosts({ count: 1, flavour: 'debian' });
  const [host] = started.hosts;
  await host!.run(handmadeRelease0);
  await host!.run(tolerant);
  return {
    address: host!.address,
    port: host!.port,
    hostKey: host!.hostKey,
    privateKey: readFileSync(host!.adminKeyFile, 'utf8'),
    program: { text: programText, hash: programHash },
    [Symbol.asyncDispose]: started.stop,
  };
});
