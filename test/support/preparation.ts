/**
 * What the tests of a tier need and find in a cache the next time: made before the clock of any test runs, with progress,
 * since the first time takes minutes.
 */
import { buildAsset } from '../../bootstrap/build.ts';
import { flavours } from './hosts/flavour.ts';
import { missingPrograms, requireHostTools } from './hosts/requirements.ts';
import { meshModule } from './vm/mesh.ts';
import { prepareVm } from './vm/start.ts';

/** How much of a tier is to run. */
export type Form = 'whole' | 'short';

/** By tier; each rejects with a sentence that says what is missing. */
export const preparations: Record<string, (form: Form) => Promise<void>> = {
  nix: requireNix,
  api: buildPrograms,
  host: async () => {
    await requireHostTools();
    await buildPrograms();
    for (const flavour of ['debian', 'nixos'] as const) await flavours[flavour].image();
  },
  cluster: async (form) => {
    await requireHostTools();
    await buildPrograms();
    await flavours.kubernetes.image();
    // For upgrades: the programs of the next minor, in as much time again.
    if (form === 'whole') await flavours['kubernetes-next'].image();
  },
  vm: async () => {
    await prepareVm(meshModule);
  },
};

async function requireNix(): Promise<void> {
  if (!missingPrograms().includes('nix-instantiate')) return;
  if (process.getuid?.() !== 0) throw new Error('nix-instantiate is needed (in Debian: the package nix-bin)');
  await requireHostTools();
}

/** Those of hosts are built when their image is made. */
async function buildPrograms(): Promise<void> {
  for (const name of ['kube-apiserver', 'kubectl', 'etcd', 'helm'] as const) await buildAsset(name);
}
