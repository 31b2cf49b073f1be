/** The one error of this folder: what was given cannot be used. `message` is for users and never holds key material. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}
