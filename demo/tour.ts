import { names } from './fleet.ts';
import { base, cutOff, deployKey, greetingFile, licence, licenceFile, namespace, node } from './manifests.ts';
import { cannotComeIn, isReady, type Scene } from './scene.ts';
import { terminal } from './terminal.ts';

export type Step = {
  title: string;
  /** What is about to happen, in a sentence or two. */
  about: string;
  do(scene: Scene): Promise<void>;
  /** Throws unless it was seen. */
  see(scene: Scene): Promise<void>;
};

/** Filled by a step for those after it. */
type Memory = { releases: Map<string, string> };

/** The tour, in order. Each step does one thing as a user would, and then looks whether it came true. */
export function tour(): Step[] {
  const memory: Memory = { releases: new Map() };
  return [firstRelease(memory), change(memory), secret(memory), cutOffStep(memory), wayBack(memory)];
}

const [alpha, beta] = names;
const inFleet = ['-n', namespace];
const getNodes = ['get', 'nixnodes', ...inFleet];

/** What is not as it should be, and why. */
export const falseConditions = (name: string): string[] => [
  'get',
  'nixnode',
  name,
  ...inFleet,
  '-o',
  `jsonpath={range .status.conditions[?(@.status=="False")]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}`,
];

const readyOn = (scene: Scene, name: string, isRight: (release: string) => boolean) => async () => {
  const seen = await scene.node(name);
  const { current, desired } = seen.status?.release ?? {};
  return isReady(seen) && current !== undefined && current === desired && isRight(current);
};

async function remember(scene: Scene, { releases }: Memory): Promise<void> {
  for (const name of names) releases.set(name, (await scene.node(name)).status?.release?.current ?? '');
}

const firstRelease = (memory: Memory): Step => ({
  title: 'Two hosts become ours',
  about:
    'A NixNode says how to log in to a host and what it is made of. A NixModule is for all hosts of a site.',
  async do(scene) {
    await scene.apply('deploy-key.yaml', deployKey(scene.fleet.privateKey), 'secret');
    await scene.apply('licence.yaml', licence('the first licence'), 'secret');
    await scene.apply('base.yaml', base('hello'), 'shown');
    await scene.apply('alpha.yaml', node(scene.host(alpha)), 'shown');
    await scene.apply('beta.yaml', node(scene.host(beta)), 'shown');
  },
  async see(scene) {
    for (const name of names)
      await scene.until(
        `${name} is Ready`,
        60,
        readyOn(scene, name, () => true),
      );
    await scene.show(getNodes);
    await scene.untilPrints(alpha, `cat ${greetingFile}`, 'hello');
    await scene.untilPrints(beta, `cat ${licenceFile}`, 'the first licence');
    await remember(scene, memory);
  },
});

const change = (memory: Memory): Step => ({
  title: 'A change reaches both',
  about:
    'The module changes. Each host builds the new system, tries it, and keeps it because the operator can come in again.',
  async do(scene) {
    await scene.apply('base.yaml', base('good morning'), 'shown');
  },
  async see(scene) {
    for (const name of names) {
      const isNew = (release: string): boolean => release !== memory.releases.get(name);
      await scene.until(`${name} runs a new release`, 60, readyOn(scene, name, isNew));
    }
    await scene.show(getNodes);
    await scene.untilPrints(alpha, `cat ${greetingFile}`, 'good morning');
    await remember(scene, memory);
  },
});

const secret = (memory: Memory): Step => ({
  title: 'A secret is renewed',
  about:
    'Files are delivered beside the system: on tmpfs, never in the Nix store. Nothing is evaluated or built.',
  async do(scene) {
    await scene.apply('licence.yaml', licence('the second licence'), 'secret');
  },
  async see(scene) {
    const system = async () => (await scene.node(alpha)).status?.parts?.system;
    const before = await system();
    const isNew = (release: string): boolean => release !== memory.releases.get(alpha);
    await scene.until(`${alpha} runs a new release`, 30, readyOn(scene, alpha, isNew));
    await scene.until('its system is the same', 0, async () => (await system()) === before);
    await scene.untilPrints(alpha, `cat ${licenceFile}`, 'the second licence');
    const isNewThere = (release: string): boolean => release !== memory.releases.get(beta);
    await scene.until(`${beta} has it too`, 30, readyOn(scene, beta, isNewThere));
    await remember(scene, memory);
  },
});

const cutOffStep = (memory: Memory): Step => ({
  title: 'A change that cuts a host off',
  about: `On ${alpha} sshd is to listen on loopback only. The host finds itself healthy; but nobody can come in to confirm.`,
  async do(scene) {
    await scene.apply('cut-off.yaml', cutOff(alpha), 'shown');
  },
  async see(scene) {
    await scene.until(`the operator cannot come in to ${alpha}`, 60, async () => {
      return cannotComeIn(await scene.node(alpha));
    });
    await scene.show(getNodes);
    terminal.say(
      '\nNobody helps. After confirmWithin, 20 seconds, the host takes the release back by itself …',
    );
    await scene.until(`${alpha} is back on its last good release`, 90, async () => {
      const { status } = await scene.node(alpha);
      const reverted = status?.bad?.some((bad) => bad.part === 'system') === true;
      return reverted && status?.release?.current === memory.releases.get(alpha);
    });
    await scene.show(getNodes);
    await scene.show(falseConditions(alpha));
    await scene.until('the bad release was tried once, and not again', 0, async () => {
      return (await scene.node(alpha)).status?.trial?.attempt === 1;
    });
    const untouched = (release: string): boolean => release === memory.releases.get(beta);
    await scene.until(`${beta} was not touched`, 0, readyOn(scene, beta, untouched));
  },
});

const wayBack = (memory: Memory): Step => ({
  title: 'The way back',
  about: `Without the module ${alpha} is what it was.`,
  async do(scene) {
    await scene.show(['delete', 'nixmodule', 'cut-off', ...inFleet]);
  },
  async see(scene) {
    const asBefore = (release: string): boolean => release === memory.releases.get(alpha);
    await scene.until(`${alpha} is Ready, on the release it had`, 60, readyOn(scene, alpha, asBefore));
    await scene.show(getNodes);
    await scene.show(['events', ...inFleet, '--for', `nixnode/${alpha}`]);
  },
});
