import { inspect } from 'node:util';

const shown = '[sealed]';

/**
 * A secret in memory. However it is printed, logged, serialized or put into an error's text, it says
 * `[sealed]`; only `open()` gives the value. Grep for `.open()` to find every place where a secret is read.
 */
export class Sealed<T extends string | Uint8Array> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  open(): T {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
