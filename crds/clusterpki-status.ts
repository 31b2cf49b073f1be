/** What the clusterpki controller found and did. It holds names, dates and fingerprints, never a key. */
import { z } from 'zod';
import { conditions, count, digest, timestamp } from './common.ts';
import { mapList } from './rules.ts';

const secretName = () => z.string().max(253).describe('The Secret that holds it.');

const authority = z.object({
  name: z.enum(['cluster', 'etcd', 'front-proxy']).describe('What it signs for.'),
  secretName: secretName(),
  fingerprint: digest().describe('SHA-256 of the certificate that signs now, in hex.'),
  notAfter: timestamp().describe('When it ends.'),
  imported: z.boolean().optional().describe('Whether it was brought along.'),
});

const rotation = z.object({
  name: z.enum(['authority', 'serviceAccountKey', 'encryptionKey']).describe('What is being replaced.'),
  request: z.string().max(256).describe('The value of `spec.rotate` that asked for it.'),
  stage: z
    .enum(['Distribute', 'Reissue', 'Retire', 'Abort', 'Add', 'Promote', 'Rewrite', 'Remove'])
    .describe(
      'How far it is. Of authorities and of the key for tokens: Distribute, Reissue, Retire. Of the encryption key: Add, Promote, Rewrite, Remove.',
    ),
  startedAt: timestamp().describe('When the stage began.'),
  waitsFor: z.string().max(8192).optional().describe('What the next stage waits for.'),
});

export const clusterPkiStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how it is.'),
    authorities: mapList(authority, 'name', 3).optional().describe('Who signs.'),
    authorityCount: count().optional().describe('How many authorities there are.'),
    serviceAccount: z
      .object({
        secretName: secretName(),
        fingerprint: digest().describe('SHA-256 of the public key (DER) that verifies new tokens.'),
      })
      .optional()
      .describe('The key that signs tokens of ServiceAccounts.'),
    encryption: z
      .object({
        secretName: secretName(),
        keyName: z.string().max(64).describe('Name of the key that is written with; its value is not told.'),
      })
      .optional()
      .describe('The key that Secrets are encrypted with in etcd.'),
    certificates: count().optional().describe('How many certificates hosts have.'),
    nextExpiry: timestamp().optional().describe('When the first of authorities and certificates ends.'),
    nextExpiring: z
      .string()
      .max(1280)
      .optional()
      .describe('Which that is: an authority, or a node and a path on it.'),
    nextExpiryIn: z.string().max(16).optional().describe('How long that is from now, such as `89d`.'),
    rotation: mapList(rotation, 'name', 3)
      .optional()
      .describe('What is being replaced, and how far that is.'),
  })
  .describe('What is true of the keys and certificates; written by Firn.');

export type ClusterPKIStatus = z.output<typeof clusterPkiStatus>;
