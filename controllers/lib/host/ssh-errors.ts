import type { SshEndpoint } from './host.ts';
import { HostError } from './host-error.ts';
import { fingerprint, formatPublicKey, parsePublicKey } from './keys.ts';
import { nameOf, quoted, seconds } from './words.ts';

/** Errors of a TCP connection as Node names them. */
export function tcpFailed(
  endpoint: Pick<SshEndpoint, 'host' | 'port'>,
  error: Error & { code?: string },
): HostError {
  const host = `${endpoint.host} port ${endpoint.port}`;
  const options = { cause: error };
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return new HostError(
        'NameNotResolved',
        `the name ${endpoint.host} has no address (${error.code})`,
        options,
      );
    case 'ECONNREFUSED':
      return new HostError('ConnectionRefused', `${host} refuses connections`, options);
    case 'ECONNRESET':
    case 'EPIPE':
      return new HostError('ConnectionLost', `${host} cut the connection (${error.code})`, options);
    default:
      return new HostError(
        'ConnectTimeout',
        `${host} cannot be reached (${error.code ?? 'no reason given'})`,
        options,
      );
  }
}

/** `step`: what did not happen. */
export const connectTimeout = (endpoint: SshEndpoint, ms: number, step: string): HostError =>
  new HostError('ConnectTimeout', `no login at ${nameOf(endpoint)} within ${seconds(ms)}: ${step}`);

export const invalidPrivateKey = (endpoint: SshEndpoint, found: 'encrypted' | null): HostError =>
  new HostError(
    'InvalidPrivateKey',
    found === 'encrypted'
      ? `the private key for ${nameOf(endpoint)} is encrypted; give one without a passphrase (ssh-keygen -p removes it)`
      : `the private key for ${nameOf(endpoint)} is not one that can be read; give it in OpenSSH's format, ` +
          'as ssh-keygen writes it',
  );

/** The key that was seen is not one of those that are pinned; nothing of ours was sent. */
export function keyMismatch(endpoint: SshEndpoint, seen: Buffer): HostError {
  const shown = `it shows ${fingerprint(seen)}`;
  if (endpoint.hostKeys.length === 0) {
    return new HostError(
      'HostKeyMismatch',
      `no host key is given for ${nameOf(endpoint)}; ${shown}. Nothing was sent`,
    );
  }
  const expected = endpoint.hostKeys.map((line) => {
    const key = parsePublicKey(line);
    return key === null ? 'a line that is not a public key' : `${fingerprint(key.blob)} (${key.type})`;
  });
  return new HostError(
    'HostKeyMismatch',
    `${nameOf(endpoint)} is not who it should be: expected ${expected.join(' or ')}, ${shown}. Nothing was sent. ` +
      'If the host was installed anew, compare the key at its console and replace it in hostKeys; if not, somebody ' +
      'answers in its place',
  );
}

export const authenticationFailed = (endpoint: SshEndpoint, publicKey: Buffer): HostError =>
  new HostError(
    'AuthenticationFailed',
    `${endpoint.host} does not let ${endpoint.user} in with the key ${fingerprint(publicKey)}. If that is the right ` +
      `user, add the public half to its authorized keys there: ${formatPublicKey(publicKey)}`,
  );

/** As RFC 4254, section 5.1, numbers the reasons why a channel is not opened. */
const openFailures = new Map<unknown, string>([
  [2, 'nothing answers there'],
  [3, 'it does not know how'],
  [4, 'it has no room for more connections'],
]);
const prohibited = 1;

/** The login is good, and what it should reach from there cannot be had. */
export function forwardRefused(
  endpoint: SshEndpoint,
  to: { host: string; port: number },
  error: Error & { reason?: unknown },
): HostError {
  const where = `${to.host} port ${to.port}`;
  if (error.reason === prohibited) {
    const what = `${nameOf(endpoint)} forbids TCP forwarding to ${where}`;
    return new HostError(
      'ForwardFailed',
      `${what}: see AllowTcpForwarding, DisableForwarding and PermitOpen of its sshd`,
    );
  }
  const said = quoted(error.message.replace(/^\(SSH\) Channel open failure: ?/, ''));
  const why = said || (openFailures.get(error.reason) ?? 'no reason given');
  return new HostError('ForwardFailed', `${nameOf(endpoint)} opens no connection to ${where}: ${why}`);
}

/** Anything else that ends a handshake. */
export function handshakeFailed(
  endpoint: SshEndpoint,
  error: Error & { code?: unknown; level?: string },
): HostError {
  if (error.level === 'client-socket' && typeof error.code === 'string') {
    return tcpFailed(endpoint, error as Error & { code: string });
  }
  return new HostError(
    'ConnectionLost',
    `${nameOf(endpoint)} ended the SSH handshake: ${quoted(error.message)}`,
    { cause: error },
  );
}
