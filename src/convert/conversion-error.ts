/**
 * A file that cannot be converted. The message is a clause, e.g. `it is encrypted`; who asked for the file names it.
 */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}
