import { randomBytes } from 'node:crypto';
import { createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { Credentials, operator } from '../../../controllers/lib/target/credentials.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const hour = 3_600_000;

test('without an authority that can sign there is no way, which is said in words', async () => {
  const clock = new ManualClock(Date.parse('2026-11-21T12:00:00Z'));
  const spec = { commonName: 'demo', algorithm: 'ECDSA-P256', lifetimeMs: hour } as const;
  const signer = await createAuthority(spec, { now: clock.now(), random: randomBytes });
  const authority = { signer, fingerprint: 'a', trust: signer.certificate };
  expect((await new Credentials(operator, clock, randomBytes).identity(authority)).ca).toBe(authority.trust);

  await clock.pass(hour);
  const credentials = new Credentials(operator, clock, randomBytes);
  const unreachable = {
    name: 'UnreachableError',
    message: 'the operator gets no certificate of its own: the authority that is to sign it has ended',
  };
  await expect(credentials.identity(authority)).rejects.toMatchObject(unreachable);
  // Whoever asks after it is told the same.
  await expect(credentials.identity(authority)).rejects.toMatchObject(unreachable);
});
