/** What statuses say of etcd in the same words. */
import { z } from 'zod';

/** 64 bits in hex, without leading zeros, as etcdctl prints them. */
export const etcdId = () =>
  z
    .string()
    .regex(/^[0-9a-f]{1,16}$/)
    .max(16);

export const startWord = () =>
  z
    .string()
    .regex(/^[0-9a-z-]{1,64}$/)
    .max(64);

export const transport = () => z.enum(['Socket', 'TLS']);
