/** Scripted hosts in a process of their own, so that they share no event loop with what is measured. Told over IPC. */
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { type ScriptedFleet, startScriptedHosts } from '../../test/support/ssh-server/scripted-hosts.ts';
import { monotonicMs } from '../clock.ts';
import type { Answer, Question, Said } from './hosts.ts';
import { settle } from './settled.ts';

let fleet: ScriptedFleet | undefined;
/** The hosts that were called at least once. */
const called = new Set<number>();
let watched = -1;

const say = (said: Said): void => void process.send!(said);

process.on('message', ({ number, question }: { number: number; question: Question }) => {
  answer(question).then(
    (value) => say({ number, value }),
    (error: unknown) => say({ number, failed: String(error) }),
  );
});
// The one who asks is gone: so is the reason to be here.
process.on('disconnect', () => process.exit());

async function answer(question: Question): Promise<Answer> {
  switch (question.do) {
    case 'start':
      return start(question.count, new Sealed(Buffer.from(question.hmacKey, 'base64')));
    case 'watch':
      watched = question.index;
      return null;
    case 'cut':
      fleet?.hosts[question.index]?.cut();
      return null;
    case 'count': {
      const connections = fleet?.hosts.reduce((sum, host) => sum + host.connections, 0) ?? 0;
      return { called: called.size, connections };
    }
  }
}

async function start(count: number, hmacKey: Sealed<Uint8Array>): Promise<Answer> {
  fleet = await startScriptedHosts({ count });
  settle(fleet, hmacKey);
  fleet.hosts.forEach((host, index) => {
    host.onCall = ({ subcommand }) => {
      called.add(index);
      if (index === watched) say({ call: { index, subcommand, atMs: monotonicMs() } });
    };
  });
  const { hosts, privateKey } = fleet;
  const logins = hosts.map(({ address, port, hostKey }) => ({ address, port, hostKey }));
  return { logins, privateKey };
}
