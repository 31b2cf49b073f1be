/** Container images for hosts that reach no registry: one layer, made here. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** What the image's containers find: a static busybox as `/bin/busybox`, and the commands as links to it. */
const commands = ['sh', 'sleep', 'httpd', 'wget', 'nslookup', 'cat', 'hostname', 'mkdir', 'ip', 'nc'];

type Entry = { name: string; mode: number } & ({ content: Uint8Array } | { link: string } | { folder: true });

/**
 * An image as `ctr images import` reads it: the OCI Image Layout in a tar. Without a command it waits until it is told to
 * end, as the holder of a pod's namespaces does.
 */
export async function busyboxImage(name: string, busybox: Uint8Array): Promise<Buffer> {
  const layer = await tar([
    ...['bin', 'dev', 'etc', 'proc', 'sys'].map(
      (folder): Entry => ({ name: folder, mode: 0o755, folder: true }),
    ),
    { name: 'tmp', mode: 0o1777, folder: true },
    { name: 'bin/busybox', mode: 0o755, content: busybox },
    ...commands.map((command): Entry => ({ name: `bin/${command}`, mode: 0o777, link: 'busybox' })),
  ]);
  const config = json({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      Env: ['PATH=/bin'],
      Cmd: ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 60 & wait $!; done'],
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...descriptor(config) },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...descriptor(layer) }],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...descriptor(manifest),
        annotations: { 'io.containerd.image.name': name },
      },
    ],
  });
  return tar([
    { name: 'oci-layout', mode: 0o644, content: json({ imageLayoutVersion: '1.0.0' }) },
    { name: 'index.json', mode: 0o644, content: index },
    ...[manifest, config, layer].map((content): Entry => ({ name: blobOf(content), mode: 0o644, content })),
  ]);
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const digestOf = (content: Uint8Array): string => `sha256:${hashOf(content)}`;
const blobOf = (content: Uint8Array): string => `blobs/sha256/${hashOf(content)}`;
const descriptor = (content: Uint8Array) => ({ digest: digestOf(content), size: content.length });

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) {
    const { name, mode } = entry;
    const header = { name, mode, mtime: new Date(0) };
    if ('content' in entry) archive.entry(header, Buffer.from(entry.content));
    else if ('link' in entry) archive.entry({ ...header, type: 'symlink', linkname: entry.link });
    else archive.entry({ ...header, type: 'directory' });
  }
  archive.finalize();
  return buffer(archive);
}
