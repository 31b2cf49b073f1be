import type { Duplex } from 'node:stream';
import type { ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import ssh2 from 'ssh2';
import { Connection } from './connection.ts';
import { abortable } from './deadline.ts';
import type { SshEndpoint } from './host.ts';
import { formatPublicKey, hostKeyAlgorithms, isTrusted, parsePublicKey, readPrivateKey } from './keys.ts';
import type { HostLimits } from './limits.ts';
import { authenticationFailed, handshakeFailed, invalidPrivateKey, keyMismatch } from './ssh-errors.ts';

/** Ciphers and the rest are ssh2's defaults without CBC, SHA-1 and finite-field groups under 2048 bits. */
const algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const;

/** Says how far a handshake is, for the message of one that does not get further. */
export type Progress = { step: string };

/**
 * Logs in over a byte stream, which it owns from here on. The host key is verified synchronously, before anything of
 * ours is sent under the new keys: with an asynchronous verifier ssh2 1.17 reads on and fails with "Bad packet
 * length" (mscdex/ssh2 #1312).
 */
export async function login(
  endpoint: SshEndpoint,
  via: Duplex,
  progress: Progress,
  limits: Pick<HostLimits, 'keepaliveMs' | 'keepaliveMisses'>,
  signal: AbortSignal,
): Promise<Connection> {
  const client = new ssh2.Client();
  try {
    const key = readPrivateKey(endpoint.privateKey);
    if (key === null || key === 'encrypted') throw invalidPrivateKey(endpoint, key);
    const hostKey = await abortable<Buffer>(signal, (resolve, reject) => {
      let seen: Buffer | null = null;
      const verify = (blob: Buffer): boolean => {
        progress.step = 'the handshake was not finished';
        seen = Buffer.from(blob);
        return isTrusted(seen, endpoint);
      };
      client.on('handshake', () => {
        progress.step = 'the login was not answered';
      });
      client.on('error', (error) => {
        if (seen !== null && !isTrusted(seen, endpoint)) reject(keyMismatch(endpoint, seen));
        else if (error.level === 'client-authentication') reject(authenticationFailed(endpoint, key.blob));
        else reject(handshakeFailed(endpoint, error));
      });
      client.on('close', () => reject(handshakeFailed(endpoint, new Error('it closed the connection'))));
      client.on('ready', () => seen !== null && resolve(seen));
      progress.step = 'no SSH banner came';
      client.connect(configure(endpoint, via, limits, verify));
      return () => {};
    });
    return new Connection(client, via, endpoint, formatPublicKey(hostKey));
  } catch (error) {
    // ssh2 itself leaves a socket half open whose other end does not close.
    via.destroy();
    throw error;
  }
}

const configure = (
  endpoint: SshEndpoint,
  via: Duplex,
  limits: Pick<HostLimits, 'keepaliveMs' | 'keepaliveMisses'>,
  verify: (blob: Buffer) => boolean,
): ConnectConfig => ({
  sock: via,
  username: endpoint.user,
  privateKey: endpoint.privateKey.open(),
  authHandler: ['publickey'],
  algorithms: {
    kex: [...algorithms.kex],
    cipher: [...algorithms.cipher],
    hmac: [...algorithms.hmac],
    compress: [...algorithms.compress],
    serverHostKey: hostKeyAlgorithms(pinnedTypes(endpoint)) as ServerHostKeyAlgorithm[],
  },
  hostVerifier: verify,
  // The signal has the deadline.
  readyTimeout: 0,
  keepaliveInterval: limits.keepaliveMs,
  keepaliveCountMax: limits.keepaliveMisses,
});

const pinnedTypes = (endpoint: SshEndpoint): string[] =>
  endpoint.hostKeys.flatMap((line) => parsePublicKey(line)?.type ?? []);
