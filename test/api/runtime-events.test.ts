import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { Recorder } from '../../controllers/lib/runtime/events.ts';
import { createLogger } from '../../controllers/lib/runtime/log.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { probe } from '../support/probe.ts';

let cluster: TestCluster;
let client: KubeClient;
const ended = new AbortController();

beforeAll(async () => {
  cluster = await startTestCluster();
  client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
}, 60_000);

afterAll(async () => {
  ended.abort();
  await client?.close();
  await cluster?.stop();
});

/** Its clock stands still, so that what has been written by when does not depend on the machine. */
function newRecorder(): { recorder: Recorder; clock: ManualClock } {
  const clock = new ManualClock(Date.now());
  const log = createLogger({ level: 'silent' });
  const recorder = new Recorder({ client, clock, log, identity: 'test', signal: ended.signal });
  return { recorder, clock };
}

type Event = { note: string; series?: { count: number } };

async function eventsAbout(name: string): Promise<Event[]> {
  const args = ['get', 'events.events.k8s.io', '-n', 'default', '-o', 'json'];
  const { stdout } = await cluster.kubectl(args);
  const { items } = JSON.parse(stdout) as { items: (Event & { regarding: { name: string } })[] };
  return items.filter(({ regarding }) => regarding.name === name);
}

const say = (message: string) => ({ type: 'Normal', reason: 'Tested', message }) as const;

test('events are written one at a time, with a pause between two', async () => {
  const { recorder, clock } = newRecorder();
  for (const word of ['one', 'two', 'three']) recorder.record('test', probe('paced', 'x'), say(word));
  const notes = async () => (await eventsAbout('paced')).map(({ note }) => note).sort();
  // The timer of the pause is there when the event before it is written.
  await eventually(() => expect(clock.waiting).toBe(1));
  await clock.pass(39);
  expect(await notes()).toEqual(['one']);
  await clock.pass(1);
  await eventually(() => expect(clock.waiting).toBe(1));
  expect(await notes()).toEqual(['one', 'two']);
  await clock.pass(40);
  await eventually(async () => expect(await notes()).toEqual(['one', 'three', 'two']));
  expect(recorder.dropped).toBe(0);
});

test('at the end nothing waits for a pause', async () => {
  const { recorder } = newRecorder();
  const words = Array.from({ length: 5 }, (_, i) => `word ${i}`);
  for (const word of words) recorder.record('test', probe('hurried', 'x'), say(word));
  await recorder.flush();
  expect((await eventsAbout('hurried')).map(({ note }) => note).sort()).toEqual(words);
});

test('the same words again are counted in the event that is there, once a minute', async () => {
  const { recorder, clock } = newRecorder();
  const about = probe('repeated', 'x');
  recorder.record('test', about, say('again'));
  await clock.pass(30_000);
  recorder.record('test', about, say('again'));
  await clock.pass(30_000);
  recorder.record('test', about, say('again'));
  await recorder.flush();
  expect(await eventsAbout('repeated')).toMatchObject([{ note: 'again', series: { count: 3 } }]);
});

test('an object that says too much is not written about, and others are', async () => {
  const { recorder } = newRecorder();
  for (let i = 0; i < 30; i++) recorder.record('test', probe('chatty', 'x'), say(`word ${i}`));
  recorder.record('test', probe('quiet', 'x'), say('a word'));
  await recorder.flush();
  expect(await eventsAbout('chatty')).toHaveLength(10);
  expect(await eventsAbout('quiet')).toHaveLength(1);
  expect(recorder.dropped).toBe(20);
});

test('words that are too long for an event are cut, in whichever script', async () => {
  const { recorder } = newRecorder();
  recorder.record('test', probe('wordy', 'x'), say('я'.repeat(900)));
  await recorder.flush();
  expect(await eventsAbout('wordy')).toMatchObject([{ note: expect.stringMatching(/^я{500,} …$/) }]);
  expect(recorder.dropped).toBe(0);
});

test('progress that fills its budget leaves room for a failure', async () => {
  const { recorder } = newRecorder();
  const about = probe('busy', 'x');
  for (let i = 0; i < 30; i++) recorder.record('test', about, say(`step ${i}`));
  recorder.record('test', about, { ...say('it failed'), type: 'Warning' });
  await recorder.flush();
  expect((await eventsAbout('busy')).map(({ note }) => note)).toContain('it failed');
});
