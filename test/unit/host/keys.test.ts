import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import {
  fingerprint,
  formatPublicKey,
  hostKeyAlgorithms,
  isTrusted,
  parsePublicKey,
  readPrivateKey,
} from '../../../controllers/lib/host/keys.ts';
import { encryptedKey, strangerKey } from '../../support/ssh-keys.ts';

/** Made with ssh-keygen 9.2; the fingerprint is what `ssh-keygen -l` printed. */
const known = {
  line: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFIJ2yU9SXOmsGrJgR2Ay5uyXfIhe2cVAoUKRXJY4PXG',
};

test('reads a line of known_hosts, with or without a comment', () => {
  const key = parsePublicKey(`  ${strangerKey.public} somebody@somewhere\n`);
  expect(key?.type).toBe('ssh-ed25519');
  expect(formatPublicKey(key!.blob)).toBe(strangerKey.public.split(' ').slice(0, 2).join(' '));
});

test.each([
  '',
  'ssh-ed25519',
  'ssh-ed25519 ????',
  'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIFIJ2yU9SXOmsGrJgR2Ay5uyXfIhe2cVAoUKRXJY4PXG', // not of the type it says
  'ssh-ed25519 AAAA',
])('refuses %j', (line) => {
  expect(parsePublicKey(line)).toBeNull();
});

test('prints the fingerprint that ssh-keygen prints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'firn-keys-'));
  try {
    const file = join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const shown = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1];
    const line = readFileSync(`${file}.pub`, 'utf8');
    expect(fingerprint(parsePublicKey(line)!.blob)).toBe(shown);
    expect(readPrivateKey(new Sealed(readFileSync(file, 'utf8')))).toEqual(parsePublicKey(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('tells a key that is encrypted from one that is none', () => {
  expect(readPrivateKey(new Sealed(encryptedKey))).toBe('encrypted');
  expect(readPrivateKey(new Sealed('-----BEGIN NOTHING-----'))).toBeNull();
  expect(readPrivateKey(new Sealed(strangerKey.public))).toBeNull();
});

test('asks for the pinned types first, and never for SHA-1', () => {
  expect(hostKeyAlgorithms(['ssh-rsa'])).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
  ]);
  expect(hostKeyAlgorithms([])[0]).toBe('ssh-ed25519');
  expect(hostKeyAlgorithms(['made-up'])[0]).toBe('ssh-ed25519');
});

test.each([
  { hostKeys: [], trustFirstKey: false, trusted: false },
  { hostKeys: [], trustFirstKey: true, trusted: true },
  { hostKeys: [strangerKey.public], trustFirstKey: false, trusted: true },
  { hostKeys: [known.line], trustFirstKey: true, trusted: false },
  { hostKeys: ['nonsense'], trustFirstKey: true, trusted: false },
])('trust: %j', ({ trusted, ...endpoint }) => {
  expect(isTrusted(parsePublicKey(strangerKey.public)!.blob, endpoint)).toBe(trusted);
});
