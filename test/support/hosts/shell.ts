/**
 * For people: `node test/support/hosts/shell.ts debian|nixos [script]` boots one host and gives a shell on it, or runs
 * the script there and shows the console. The host is gone afterwards.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Flavour, flavours } from './flavour.ts';
import { say } from './say.ts';
import { startHosts } from './start.ts';

const [flavour = '', script] = process.argv.slice(2);
if (!Object.hasOwn(flavours, flavour)) {
  console.error(`usage: node test/support/hosts/shell.ts ${Object.keys(flavours).join('|')} [script]`);
  process.exit(2);
}
await using started = await startHosts({ count: 1, flavour: flavour as Flavour, power: 'off' });
const host = started.hosts[0]!;
const since = performance.now();
await host.powerOn().catch((error: Error) => console.error(error.message));
say(`${host.name} ${host.address} after ${Math.round(performance.now() - since)} ms`);
if (script !== undefined) {
  const { stdout, stderr, code } = await host.run(script, { allowFailure: true });
  console.error(host.console());
  console.log(stdout);
  console.error(stderr);
  process.exitCode = code;
} else {
  // Ctrl-C belongs to what runs in the shell.
  process.on('SIGINT', () => {});
  await once(spawn(...host.shell(), { stdio: 'inherit' }), 'exit');
}
