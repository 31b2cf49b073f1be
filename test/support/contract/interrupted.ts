import { type Context, eventually, failure } from './context.ts';

/** Aborts, deadlines, cuts. */
export function interrupted(context: () => Context): void {
  test('an aborted call ends with the reason, and alone', async () => {
    const { observe, relay } = context();
    await observe();
    relay.block();
    const controller = new AbortController();
    const aborted = observe({}, { signal: controller.signal });
    const beside = observe();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    relay.unblock();
    await beside;
    await observe();
    expect(relay.accepted).toBe(1);
  });

  test('an aborted connect ends at once, for this caller only', async () => {
    const { observe, relay } = context();
    relay.block();
    const controller = new AbortController();
    const aborted = observe({}, { signal: controller.signal });
    const beside = observe();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    relay.unblock();
    await beside;
    expect(relay.accepted).toBe(1);
  });

  test('a host that falls silent costs a deadline, and its connection', async () => {
    const { observe, relay } = context();
    await observe();
    relay.block();
    const error = await failure(observe({}, { deadlineMs: 300 }));
    expect(error.code).toBe('DeadlineExceeded');
    expect(error.message).toContain('observe');
    relay.unblock();
    await observe();
    expect(relay.accepted).toBe(2);
  });

  test('a host that never speaks', async () => {
    const { observe, relay } = context();
    relay.block();
    const error = await failure(observe({}, { deadlineMs: 300 }));
    expect(error.code).toBe('ConnectTimeout');
    relay.unblock();
  });

  test('a cut during a call is a lost connection, and the next call opens another', async () => {
    const { observe, relay } = context();
    await observe();
    relay.cutAfter(800); // Opening a channel takes 200, the script 1,200.
    expect((await failure(observe())).code).toBe('ConnectionLost');
    await observe();
  });

  test('a connection that died while nobody used it is not noticed', async () => {
    const { observe, relay } = context();
    await observe();
    relay.cut();
    await observe();
    expect(relay.accepted).toBe(2);
  });

  test('a forgotten host has no connection', async () => {
    const { observe, hosts, relay, target } = context();
    await observe();
    hosts.forget('alpha');
    await eventually(() => relay.open === 0);
    expect(hosts.at(target()).hostKey).toBeNull();
  });
}
