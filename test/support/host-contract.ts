/**
 * What `Hosts` promises, as tests. The same ones run against scripted hosts and against booted ones, so that neither our
 * side nor the model of the other side drifts away from the real thing.
 */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Hosts, Target } from '../../controllers/lib/host/host.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { defaultLimits } from '../../controllers/lib/host/limits.ts';
import { connecting } from './contract/connecting.ts';
import { type Context, type ContractHost, options } from './contract/context.ts';
import { forwarding } from './contract/forwarding.ts';
import { interrupted } from './contract/interrupted.ts';
import { keptFiles } from './contract/kept-files.ts';
import { releases } from './contract/releases.ts';
import { requests } from './contract/requests.ts';
import { startTcpRelay, type TcpRelay } from './tcp-relay.ts';

export function hostContract(name: string, start: () => Promise<ContractHost>): void {
  describe(`the way to ${name}`, () => {
    let subject: ContractHost;
    let relay: TcpRelay;
    let hosts: Hosts;
    const target = (changes: Partial<Target> = {}): Target => ({
      poolKey: 'alpha',
      host: '127.0.0.1',
      port: relay.port,
      user: 'root',
      privateKey: new Sealed(subject.privateKey),
      hostKeys: [subject.hostKey],
      trustFirstKey: false,
      ...changes,
    });
    const observe: Context['observe'] = (changes = {}, call = {}) =>
      hosts.at(target(changes)).call('observe', {}, options(call));

    beforeAll(async () => {
      subject = await start();
    });
    afterAll(async () => {
      await subject?.[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      relay = await startTcpRelay({ host: subject.address, port: subject.port });
      hosts = createHosts({ clock: systemClock, program: subject.program, limits: defaultLimits });
    });
    afterEach(async () => {
      await hosts.close();
      await relay.close();
    });

    const context = (): Context => ({ subject, relay, hosts, target, observe });
    describe('connecting', () => connecting(context));
    describe('forwarding', () => forwarding(context));
    describe('interrupted', () => interrupted(context));
    describe('requests', () => requests(context));
    describe('releases', () => releases(context));
    describe('kept files', () => keptFiles(context));
  });
}
