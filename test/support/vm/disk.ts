import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { execute } from '../hosts/command.ts';
import { debianBase } from '../hosts/debian.ts';
import { layer, mountOverlay } from '../hosts/layer.ts';
import { imageCache } from '../hosts/paths.ts';
import { userland } from '../hosts/userland.ts';
import { debianKernel, type Kernel } from './kernel.ts';

export type Disk = { kernel: Kernel; ramdisk: string; root: string };

/** What Debian's cloud kernel has as modules and a machine needs for its disk and its network. */
const drivers = ['virtio_blk', 'failover', 'net_failover', 'virtio_net'];

/**
 * A disk with the userland of test hosts and the modules of the kernel, and the ramdisk that starts what is on it. A
 * second disk, a tar archive, is unpacked over it at each boot: what makes one machine differ from another.
 */
export async function disk(): Promise<Disk> {
  const kernel = await debianKernel();
  const below = await userland();
  const init = readFileSync(join(import.meta.dirname, 'init.sh'), 'utf8');
  const recipe = readFileSync(import.meta.filename, 'utf8');
  const content = [init, recipe, below.folder, kernel.modulesBase].join('\0');
  const busybox = join((await debianBase()).folder, 'usr/bin/busybox');
  const { folder } = await layer('disk', content, undefined, async (out) => {
    await makeRamdisk(kernel, busybox, out);
    const work = join(imageCache(), `.making-disk-${process.pid}`);
    try {
      await mountOverlay(below, work);
      const root = join(work, 'root');
      cpSync(join(kernel.modulesBase, 'lib/modules'), join(root, 'usr/lib/modules'), { recursive: true });
      const file = join(out, 'root.img');
      await execute('truncate', ['-s', '2G', file], { timeoutMs: 10_000 });
      await execute('mkfs.ext4', ['-q', '-F', '-d', root, file], { timeoutMs: 300_000 });
    } finally {
      await execute('umount', ['-lq', join(work, 'root')], { timeoutMs: 30_000, allowFailure: true });
      rmSync(work, { recursive: true, force: true });
    }
  });
  return { kernel, ramdisk: join(folder, 'ramdisk'), root: join(folder, 'root.img') };
}

async function makeRamdisk(kernel: Kernel, busybox: string, out: string): Promise<void> {
  const tree = join(out, 'tree');
  for (const path of ['bin', 'proc', 'sys', 'dev', 'mnt', 'modules'])
    mkdirSync(join(tree, path), { recursive: true });
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  symlinkSync('busybox', join(tree, 'bin/sh'));
  copyFileSync(join(import.meta.dirname, 'init.sh'), join(tree, 'init'));
  chmodSync(join(tree, 'init'), 0o755);
  const modules = join(kernel.modulesBase, 'lib/modules', kernel.release);
  const files = readdirSync(modules, { recursive: true }).map(String);
  for (const [order, driver] of drivers.entries()) {
    const file = files.find((name) => new RegExp(`/${driver}\\.ko(\\.xz)?$`).test(name));
    if (file === undefined) continue; // Built in.
    const target = join(tree, 'modules', `${order}-${driver}.ko`);
    const unpack = file.endsWith('.xz') ? 'xz -dc' : 'cat';
    await execute('sh', ['-c', `${unpack} "$1" >"$2"`, 'sh', join(modules, file), target], {
      timeoutMs: 30_000,
    });
  }
  const pack = 'cd "$1" && find . | cpio -o -H newc --quiet >"$2"';
  await execute('sh', ['-c', pack, 'sh', tree, join(out, 'ramdisk')], { timeoutMs: 30_000 });
  rmSync(tree, { recursive: true });
}
