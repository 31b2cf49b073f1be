/** What etcd's gateway answers. 64-bit numbers are strings in decimal there, and what is zero, false or empty is left out. */
import { z } from 'zod';
import { quoted } from '../host/words.ts';

export type EtcdErrorCode =
  /** Nothing came back. */
  | 'Silent'
  /** No majority, or no leader: nothing was changed, or nobody knows. */
  | 'NoQuorum'
  /** Not yet: a learner is behind, or members have not been together for long. */
  | 'NotReady'
  /** There is no such member any more. */
  | 'NotFound'
  | 'Refused';

/** The message is for users, and the same for the same cause. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly code: EtcdErrorCode;

  constructor(code: EtcdErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export type EtcdStatus = {
  id: string;
  clusterID: string;
  learner: boolean;
  hasLeader: boolean;
  version: string;
  dbSize: number;
  /** Alarms and corruption, in etcd's words. */
  problems: string[];
};
export type EtcdListed = { id: string; name: string; peerURLs: string[]; learner: boolean };

const uint64 = z.string().regex(/^[0-9]{1,20}$/);
const id = uint64.transform((text) => BigInt.asUintN(64, BigInt(text)).toString(16));
/** As it wants an ID to be given. */
export const decimal = (hex: string): string => BigInt(`0x${hex}`).toString();
const url = z
  .string()
  .max(256)
  .regex(/^[a-z]+:\/\/[\][A-Za-z0-9.:-]+$/);
/** One that nobody of ours could have is as good as any other: it only has to say that the member has started. */
const name = z
  .string()
  .transform((text) => (/^([A-Za-z0-9][A-Za-z0-9.-]{0,99})?$/.test(text) ? text : 'unprintable'));

export const statusReply = z
  .object({
    header: z.object({ cluster_id: id, member_id: id }),
    version: z.string().max(64).default(''),
    dbSize: z.coerce.number().int().min(0).default(0),
    leader: uint64.default('0'),
    isLearner: z.boolean().default(false),
    errors: z.array(z.string()).max(64).default([]),
  })
  .transform(
    ({ header, version, dbSize, leader, isLearner, errors }): EtcdStatus => ({
      ...{ id: header.member_id, clusterID: header.cluster_id, version, dbSize },
      ...{ learner: isLearner, hasLeader: leader !== '0' },
      problems: errors.map((words) => quoted(words, 200)),
    }),
  );
const member = z.object({
  ID: id,
  name: name.default(''),
  peerURLs: z.array(url).max(8).default([]),
  isLearner: z.boolean().default(false),
});
export const listReply = z.object({
  members: z
    .array(member)
    .max(32)
    .transform((members) =>
      members.map(({ ID, isLearner, ...rest }): EtcdListed => ({ id: ID, learner: isLearner, ...rest })),
    ),
});
export const addReply = z.object({ member: z.object({ ID: id }) });
const errorReply = z.object({ message: z.string() });

/** etcd's own words (api/v3rpc/rpctypes/error.go). */
export function refusal(text: string): EtcdError {
  const said = errorReply.safeParse(parseJson(text));
  const words = said.success
    ? quoted(said.data.message.replace(/^etcdserver: /, ''), 200)
    : 'no reason given';
  if (/in sync with leader|unhealthy cluster|started members/.test(words))
    return new EtcdError('NotReady', words);
  if (/member not found/.test(words)) return new EtcdError('NotFound', words);
  if (/timed out|no leader|leader changed/.test(words)) return new EtcdError('NoQuorum', words);
  return new EtcdError('Refused', words);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
