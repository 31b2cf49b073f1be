/** What users say of a cluster's keys and certificates: of which kind, for how long, and whose. */
import { z } from 'zod';
import { nameReference } from './common.ts';
import { duration, parseDuration } from './duration.ts';
import { text, withRules } from './rules.ts';

const authorities = z
  .object({
    lifetime: duration({ min: '24h', max: '99999h' })
      .default('87600h')
      .describe('How long a new authority is valid. One that exists keeps its own end.'),
  })
  .prefault({});

const certificates = withRules(
  z.object({
    lifetime: duration({ min: '10m', max: '99999h' })
      .default('2160h')
      .describe('How long a certificate of a component is valid; never longer than its authority.'),
    renewBefore: duration({ min: '1m', max: '49999h' })
      .default('720h')
      .describe(
        'So long before its end a certificate is renewed at the latest; up to a tenth of its lifetime earlier, so that not all are renewed at once.',
      ),
  }),
  [
    {
      cel: 'duration(self.renewBefore) + duration(self.renewBefore) <= duration(self.lifetime)',
      message: 'renewBefore must be at most half of lifetime',
      fieldPath: '.renewBefore',
      test: ({ lifetime, renewBefore }) => 2 * parseDuration(renewBefore) <= parseDuration(lifetime),
    },
  ],
).prefault({});

const request = (what: string) =>
  text({ min: 1, max: 256 })
    .optional()
    .describe(`Any text. A new one ${what}; one that is first seen with the Secrets does nothing.`);

const rotate = z
  .object({
    authority: request('replaces all three authorities, in stages'),
    serviceAccountKey: request('replaces the key that signs tokens of ServiceAccounts, in stages'),
    encryptionKey: request('replaces the key that Secrets are encrypted with in etcd, in stages'),
    abort: text({ min: 1, max: 256 })
      .optional()
      .describe('The text of a request that is to be taken back, as long as nothing was retired for it.'),
  })
  .prefault({});

const imported = z.object({
  cluster: nameReference('Secret').optional().describe('Signs for the API server, its clients and kubelets.'),
  etcd: nameReference('Secret').optional().describe('Signs for etcd, its members and its clients.'),
  frontProxy: nameReference('Secret').optional().describe('Signs for the aggregation layer.'),
});

export const clusterPkiSpec = withRules(
  z.object({
    keyAlgorithm: z
      .enum(['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-4096'])
      .default('ECDSA-P256')
      .describe('Of new keys. Those that exist stay as they are until they are renewed or rotated.'),
    authorities: authorities.describe('The authorities that Firn makes.'),
    certificates: certificates.describe('The certificates of components on hosts.'),
    import: imported
      .optional()
      .describe(
        'Authorities that exist: Secrets with `tls.crt` (intermediates behind the certificate) and `tls.key`. The certificate itself is what hosts trust, nothing above it.',
      ),
    rotate: rotate.describe('Requests to replace what is in use. Values in Git stay as they are.'),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe(
        'What becomes of the Secrets when the object is deleted. A cluster cannot be looked after without them.',
      ),
  }),
  [
    {
      cel: 'duration(self.authorities.lifetime) > duration(self.certificates.lifetime)',
      message: 'authorities must live longer than certificates',
      fieldPath: '.authorities.lifetime',
      test: ({ authorities, certificates }) =>
        parseDuration(authorities.lifetime) > parseDuration(certificates.lifetime),
    },
  ],
);

export type ClusterPKISpec = z.output<typeof clusterPkiSpec>;
