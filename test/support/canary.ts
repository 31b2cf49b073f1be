import { randomBytes } from 'node:crypto';

/** An unmistakable text to deliver as a secret; secrets/registry.ts has it searched for. */
export const newCanary = (): string => `canary-${randomBytes(12).toString('hex')}`;
