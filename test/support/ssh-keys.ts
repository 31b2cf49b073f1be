import { generateKeyPairSync, randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';

/** A private key in OpenSSH's format and its public half as in authorized_keys. */
export type SshKeyPair = { private: string; public: string };

/**
 * A new ed25519 key (PROTOCOL.key of OpenSSH). ssh2 1.17 can make them too, but one in some hundreds of its keys cannot be
 * read again: it drops leading zeros.
 */
export function generateSshKey(): SshKeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  const [publicBytes, seed] = [Buffer.from(x ?? '', 'base64url'), Buffer.from(d ?? '', 'base64url')];
  const publicBlob = Buffer.concat([string('ssh-ed25519'), string(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob,
    string(Buffer.concat([seed, publicBytes])),
    string(''),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[string('none'), string('none'), string('')],
    Buffer.from([0, 0, 0, 1]),
    ...[string(publicBlob), string(Buffer.concat([secret, padding]))],
  ]);
  const lines = file.toString('base64').replaceAll(/.{70}/g, '$&\n');
  return {
    private: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    public: `ssh-ed25519 ${publicBlob.toString('base64')}`,
  };
}

/** RFC 4251 section 5. */
function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A key that no host knows. */
export const strangerKey: SshKeyPair = generateSshKey();

/** A private key with a passphrase. */
export const encryptedKey: string = ssh2.utils.generateKeyPairSync('ed25519', {
  passphrase: 'a passphrase',
  cipher: 'aes256-cbc',
  rounds: 4,
}).private;
