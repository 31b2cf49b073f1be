/** Leaf certificates a second: Firn's own, cfssl's library, and the openssl command. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Authority, createAuthority } from '../../controllers/lib/pki/authority.ts';
import { issueLeaf, type LeafSpec } from '../../controllers/lib/pki/leaf.ts';
import { goProgram } from '../../test/support/go-program.ts';

const run = promisify(execFile);

export type CertificateSettings = {
  /** How many in one go, smallest first. */
  counts: number[];
};

export type CertificateRate = {
  maker: 'firn' | 'cfssl' | 'openssl';
  algorithm: 'ECDSA-P256' | 'RSA-2048';
  certificates: number;
  perSecond: number;
};

type Ground = { authority: Authority; folder: string; cfssl: string };
type Algorithm = CertificateRate['algorithm'];

/** Prime numbers are found by luck and patience: a thousand RSA keys would take minutes and say nothing new. */
const mostOfRsa = 100;
/** As many as a control-plane node has. */
const together = 13;
const lifetimeMs = 90 * 86_400_000;

export async function measureCertificates(
  { counts }: CertificateSettings,
  say: (text: string) => void,
): Promise<CertificateRate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'firn-bench-'));
  try {
    const spec = { commonName: 'bench', algorithm: 'ECDSA-P256', lifetimeMs: 10 * lifetimeMs } as const;
    const authority = await createAuthority(spec, { now: Date.now(), random: randomBytes });
    writeFileSync(join(folder, 'ca.crt'), authority.certificate);
    writeFileSync(join(folder, 'ca.key'), authority.key.open(), { mode: 0o600 });
    const cfssl = await goProgram(join(import.meta.dirname, 'cfssl'), 'cfssl');
    return await measureAll({ authority, folder, cfssl }, counts, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureAll(ground: Ground, counts: readonly number[], say: (text: string) => void) {
  const measured: CertificateRate[] = [];
  // What was never run is slow, and would be the smallest number's fault.
  await byFirn(ground, together, 'ECDSA-P256');
  for (const algorithm of ['ECDSA-P256', 'RSA-2048'] as const) {
    for (const certificates of counts.filter((count) => algorithm !== 'RSA-2048' || count <= mostOfRsa)) {
      say(`certificates: ${certificates} with ${algorithm} …`);
      for (const [maker, make] of [
        ['firn', byFirn],
        ['cfssl', byCfssl],
        ['openssl', byOpenssl],
      ] as const) {
        const seconds = await make(ground, certificates, algorithm);
        measured.push({ maker, algorithm, certificates, perSecond: certificates / seconds });
      }
    }
  }
  return measured;
}

async function byFirn({ authority }: Ground, count: number, algorithm: Algorithm): Promise<number> {
  const spec: LeafSpec = {
    commonName: 'system:node:node1',
    organizations: ['system:nodes'],
    dnsNames: ['node1', 'node1.k8s.internal'],
    ipAddresses: ['192.0.2.31', 'fd88:1::1'],
    ends: ['server auth'],
    algorithm,
    lifetimeMs,
  };
  const began = performance.now();
  for (let left = count; left > 0; left -= together) {
    const issuance = { now: Date.now(), random: randomBytes };
    await Promise.all(
      Array.from({ length: Math.min(left, together) }, () => issueLeaf(authority, spec, issuance)),
    );
  }
  return (performance.now() - began) / 1000;
}

/** The program's own clock: its start is not part of it. */
async function byCfssl({ folder, cfssl }: Ground, count: number, algorithm: Algorithm): Promise<number> {
  const kind = algorithm === 'RSA-2048' ? 'rsa' : 'ecdsa';
  const { stdout } = await run(cfssl, ['ca.crt', 'ca.key', String(count), kind], {
    cwd: folder,
    timeout: 600_000,
  });
  return Number(stdout);
}

async function byOpenssl({ folder }: Ground, count: number, algorithm: Algorithm): Promise<number> {
  const key = algorithm === 'RSA-2048' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const args = [
    ...['req', '-x509', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-newkey', ...key, '-nodes', '-days', '90'],
    ...['-subj', '/O=system:nodes/CN=system:node:node1', '-keyout', 'leaf.key', '-out', 'leaf.crt'],
    ...['-addext', 'subjectAltName=DNS:node1,DNS:node1.k8s.internal,IP:192.0.2.31,IP:fd88:1::1'],
    ...['-addext', 'extendedKeyUsage=serverAuth', '-addext', 'keyUsage=critical,digitalSignature'],
  ];
  const began = performance.now();
  for (let made = 0; made < count; made++) await run('openssl', args, { cwd: folder, timeout: 60_000 });
  return (performance.now() - began) / 1000;
}
