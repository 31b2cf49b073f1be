import { handmadeBundle } from '../host-program/handmade.ts';
import { type Operator, operate } from '../host-program/operator.ts';
import { type Context, failure, options } from './context.ts';

const another = { installation: 'c'.repeat(32), fence: 20 };
const system = (name: string, files: Record<string, string> = {}) => ({ name, files });

/** A release's way, with everything over the wire. One story: each test goes on where the one before it ended. */
export function releases(context: () => Context): void {
  let operator: Operator;
  let base: string;

  beforeEach(() => {
    const { hosts, target } = context();
    const host = hosts.at(target());
    operator = operate(
      {
        call: (subcommand, request) =>
          host.call(
            subcommand,
            request,
            options({ newConnection: subcommand === 'confirm', deadlineMs: 60_000 }),
          ),
      },
      another,
    );
  });

  test('a first release is staged, built, tried and confirmed over a new connection', async () => {
    const { relay } = context();
    await operator.claim(1);
    const before = await operator.observe();
    base = await operator.deploy({ system: system('base') });
    const seen = await operator.observe();
    expect(seen).toMatchObject({
      current: base,
      confirmed: base,
      bad: [],
      trial: { id: base, attempt: 1, state: 'Confirmed' },
    });
    expect(seen.release0?.running).toBe(before.running.system);
    expect(seen.running.system).toBe(seen.running.profile);
    expect(seen.running.system).not.toBe(before.running.system);
    expect(relay.accepted).toBe(2);
    expect(await operator.confirm(base)).toEqual({ ok: true, state: 'Confirmed' });
  });

  test('a release that differs in data alone is not built', async () => {
    const before = await operator.observe();
    const data = new Map([['hosts', '192.0.2.7 beta\n']]);
    base = await operator.deploy({ system: system('base'), data });
    const seen = await operator.observe();
    expect(seen.running).toEqual(before.running);
    expect(seen.releases.find(({ id }) => id === base)?.system).toBe(before.running.system);
  });

  test('one that does not build is remembered as bad, with the lines that matter', async () => {
    const id = await operator.stage({ system: system('unbuildable', { unbuildable: 'the reason why\n' }) });
    expect(await failure(operator.activate(id))).toMatchObject({ refusal: 'NotBuilt' });
    const { build, bad, releases: known } = await operator.build(id);
    expect(build).toMatchObject({
      id,
      state: 'Failed',
      messageB64: expect.stringContaining('the reason why'),
    });
    const hash = known.find((release) => release.id === id)?.parts.system;
    expect(bad).toContainEqual(expect.objectContaining({ part: 'system', hash, reason: 'BuildFailed' }));
  });

  test('one that fails to switch is taken back by the host', async () => {
    const id = await operator.prepare({ system: system('failing', { fails: '', says: 'a word on it\n' }) });
    await operator.activate(id);
    const { trial, current, confirmed, bad } = await operator.settled();
    expect(trial).toMatchObject({ id, state: 'Reverted', reason: 'ActivationFailed', deadline: null });
    expect(trial?.messageB64).toContain('a word on it');
    expect([current, confirmed]).toEqual([base, base]);
    expect(bad.map(({ part, reason }) => `${part} ${reason}`)).toContain('system ActivationFailed');
    expect(await operator.confirm(id)).toEqual({ ok: true, state: 'Reverted' });
  });

  test('one trial at a time; it is taken back when nobody confirms, and a late confirmation is told', async () => {
    const id = await operator.prepare({ system: system('unconfirmed') });
    await operator.activate(id, { confirmSeconds: 5 });
    expect(await failure(operator.activate(base, { attempt: 9 }))).toMatchObject({ refusal: 'Busy' });
    const { trial } = await operator.inState('AwaitingConfirmation');
    expect(trial?.deadline).toBeGreaterThan(0);
    expect(await failure(operator.confirm(id, 2))).toMatchObject({ refusal: 'NotFound' });
    const seen = await operator.inState('Reverted');
    expect(seen).toMatchObject({ current: base, confirmed: base, trial: { reason: 'NotConfirmed' } });
    expect(await operator.confirm(id)).toEqual({ ok: true, state: 'Reverted' });
  });

  test('what a user takes back or rejects is remembered until it is resumed', async () => {
    const { hosts, target } = context();
    const host = hosts.at(target());
    const id = await operator.prepare({ system: system('unloved') });
    await operator.activate(id);
    await operator.inState('AwaitingConfirmation');
    await host.call('revert', { ...another, id, attempt: 1, message: 'not "this"' }, options());
    const { trial } = await operator.inState('Reverted');
    expect(trial).toMatchObject({ reason: 'RejectedByUser', messageB64: 'not "this"' });
    const hash = 'd'.repeat(64);
    await host.call(
      'reject',
      { ...another, part: 'data', hash, reason: 'RejectedByUser', message: 'nor this' },
      options(),
    );
    const { bad } = await operator.observe();
    expect(bad).toContainEqual(expect.objectContaining({ part: 'data', hash, reason: 'RejectedByUser' }));
    await host.call('resume', another, options());
    expect((await operator.observe()).bad).toEqual([]);
  });

  test('a release that was taken back can be tried again', async () => {
    const id = await operator.stage({ system: system('unloved') });
    expect((await operator.build(id)).build).toMatchObject({ id, state: 'Succeeded' });
    await operator.activate(id, { attempt: 2 });
    await operator.inState('AwaitingConfirmation');
    expect(await operator.confirm(id, 2)).toEqual({ ok: true, state: 'Confirmed' });
    base = id;
  });

  test('prune keeps what runs, and what was just staged', async () => {
    const { hosts, target } = context();
    const extra = await operator.stage({ system: system('extra') });
    await hosts.at(target()).call('prune', another, options());
    const ids = (await operator.observe()).releases.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([base, extra]));
    expect(await failure(operator.activate(extra))).toMatchObject({ refusal: 'NotBuilt' });
  });

  test('the log of a step can be read', async () => {
    const { hosts, target } = context();
    const { textB64 } = await hosts.at(target()).call('log', { what: 'build', lines: 5 }, options());
    expect(typeof textB64).toBe('string');
    expect(
      await failure(hosts.at(target()).call('log', { what: '../x', lines: 5 }, options())),
    ).toMatchObject({
      refusal: 'InvalidRequest',
    });
  });

  test('who gives a host up leaves it as it is', async () => {
    const { hosts, target } = context();
    await hosts.at(target()).call('disown', another, options());
    expect(await operator.observe()).toMatchObject({ owner: null, current: base, confirmed: base });
    expect(await failure(operator.stage({ system: handmadeBundle({ name: 'late' }) }))).toMatchObject({
      refusal: 'NotClaimed',
    });
  });
}
