import type { HostErrorCode } from './host.ts';

/** The one error of this folder. `message` is for users: it says what was seen and what to do, and never holds a secret. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  /** With code `Refused`: the code that the host program gave. */
  readonly refusal: string | undefined;

  constructor(code: HostErrorCode, message: string, options: { cause?: unknown; refusal?: string } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.refusal = options.refusal;
  }
}
