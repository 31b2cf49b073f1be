import { abortable, withDeadline } from '../../../controllers/lib/host/deadline.ts';
import { createGate } from '../../../controllers/lib/host/gate.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

const never = new AbortController().signal;

test('lets as many in as it is wide, the others in their order', async () => {
  const gate = createGate(2);
  const order: number[] = [];
  const leaves: (() => void)[] = [];
  const entering = [1, 2, 3, 4].map(async (number) => {
    leaves.push(await gate.enter(never));
    order.push(number);
  });
  await settled();
  expect(order).toEqual([1, 2]);
  leaves[0]!();
  leaves[0]!(); // Leaving twice is leaving once.
  await settled();
  expect(order).toEqual([1, 2, 3]);
  leaves[1]!();
  await Promise.all(entering);
  expect(order).toEqual([1, 2, 3, 4]);
});

test('who gives up in line leaves it', async () => {
  const gate = createGate(1);
  const leave = await gate.enter(never);
  const controller = new AbortController();
  const waiting = gate.enter(controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const next = gate.enter(never);
  leave();
  await next;
});

test('a deadline aborts with what it makes, an abort before it with its own reason, neither after disposal', async () => {
  const clock = new ManualClock();
  const outer = new AbortController();
  const late = (): Error => new Error('late');
  const first = withDeadline(clock, 100, outer.signal, late);
  const second = withDeadline(clock, 500, outer.signal, late);
  const third = withDeadline(clock, 50, outer.signal, late);
  third[Symbol.dispose]();
  await clock.pass(100);
  expect(first.signal.reason).toEqual(new Error('late'));
  outer.abort(new Error('enough'));
  expect(second.signal.reason).toEqual(new Error('enough'));
  expect(third.signal.aborted).toBe(false);
  expect(withDeadline(clock, 1, outer.signal, late).signal.aborted).toBe(true);
});

test('what is aborted is undone, what has ended is not', async () => {
  const undone: string[] = [];
  const controller = new AbortController();
  const ended = abortable(controller.signal, (resolve) => {
    resolve('value');
    return () => undone.push('ended');
  });
  const going = abortable(controller.signal, () => () => undone.push('going'));
  expect(await ended).toBe('value');
  controller.abort(new Error('enough'));
  await expect(going).rejects.toThrow('enough');
  await expect(abortable(controller.signal, () => () => undone.push('late'))).rejects.toThrow('enough');
  expect(undone).toEqual(['going']);
});
