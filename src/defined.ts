/** `T` with the fields that may be undefined as optional ones. */
export type Defined<T extends object> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/**
 * The fields that have a value: an optional field is absent or has one, so a value that may be undefined goes into it
 * this way.
 *
 * @example
 * ```ts
 * const options: { readonly limit?: number } = defined({ limit: given });
 * ```
 */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
