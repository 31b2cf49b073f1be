import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../hosts/command.ts';
import { debianSuite } from '../hosts/debian.ts';
import { layer } from '../hosts/layer.ts';
import { confined } from '../hosts/offline.ts';

const metaPackage = 'linux-image-cloud-amd64';

export type Kernel = {
  /** What `uname -r` says. */
  release: string;
  image: string;
  /** Has `lib/modules/<release>`, as depmod(8) wants a base. */
  modulesBase: string;
};

/** Debian's kernel for virtual machines, as it comes: it has WireGuard and nearly no drivers. */
export async function debianKernel(): Promise<Kernel> {
  const { folder } = await layer('kernel', `${debianSuite} ${metaPackage}`, undefined, async (root) => {
    const [download, unpacked] = [join(root, 'download'), join(root, 'unpacked')];
    const include = `--include=${metaPackage}`;
    await confined(['debootstrap', '--variant=minbase', '--download-only', include, debianSuite, download], {
      timeoutMs: 10 * 60_000,
    });
    const archives = join(download, 'var/cache/apt/archives');
    const archive = readdirSync(archives).find((name) => /^linux-image-[0-9].*\.deb$/.test(name));
    if (archive === undefined) throw new Error(`debootstrap did not download what ${metaPackage} depends on`);
    await execute('dpkg-deb', ['-x', join(archives, archive), unpacked], { timeoutMs: 120_000 });
    const [release] = readdirSync(join(unpacked, 'usr/lib/modules'));
    mkdirSync(join(root, 'lib/modules'), { recursive: true });
    cpSync(join(unpacked, 'usr/lib/modules'), join(root, 'lib/modules'), { recursive: true });
    copyFileSync(join(unpacked, `boot/vmlinuz-${release}`), join(root, 'vmlinuz'));
    await execute('depmod', ['-b', root, release!], { timeoutMs: 60_000 });
    for (const path of [download, unpacked]) rmSync(path, { recursive: true, force: true });
  });
  const [release] = readdirSync(join(folder, 'lib/modules'));
  return { release: release!, image: join(folder, 'vmlinuz'), modulesBase: folder };
}
