import { matches, text, withRules } from './rules.ts';

/** A Curve25519 public key as wg(8) prints it: 32 bytes in base64, so the last digit carries four bits only. */
export const wireguardKeyPattern = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

export const wireguardKey = () =>
  withRules(text({ min: 44, max: 44 }), [
    matches(wireguardKeyPattern, 'must be a public key of WireGuard, as wg pubkey prints it'),
  ]);
