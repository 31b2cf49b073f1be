import type { SshEndpoint } from './host.ts';

/** How a login is named in messages: `user@host`, with the port where it is not 22. */
export const nameOf = (endpoint: Pick<SshEndpoint, 'host' | 'port' | 'user'>): string =>
  `${endpoint.user}@${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}${endpoint.port === 22 ? '' : `:${endpoint.port}`}`;

/** What a host printed, made fit for a message: one line, printable, short. Deterministic for the same words. */
export function quoted(text: string, maxCharacters = 300): string {
  const line = text
    .replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replaceAll(/[\s\p{Cc}\p{Cf}\p{Co}\p{Cn}]+/gu, ' ')
    .trim();
  return line.length <= maxCharacters ? line : `${line.slice(0, maxCharacters)}…`;
}

export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
