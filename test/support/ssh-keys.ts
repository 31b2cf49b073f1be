import ssh2 from 'ssh2';

/** A key that no host knows. */
export const strangerKey: { private: string; public: string } = ssh2.utils.generateKeyPairSync('ed25519');

/** A private key with a passphrase. */
export const encryptedKey: string = ssh2.utils.generateKeyPairSync('ed25519', {
  passphrase: 'a passphrase',
  cipher: 'aes256-cbc',
  rounds: 4,
}).private;
