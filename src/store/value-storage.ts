/**
 * Where the content of large values is kept, apart from the records and the claims of their owners, which the store has. A value is
 * written in parts, by the hash of its content, and once.
 */
export interface ValueStorage {
  /** For messages, and recorded with each value: without a key. */
  readonly location: string;
  /** Writes a part of a value; the same part may be written twice. @throws StoreError */
  put(id: string, no: number, body: Uint8Array): Promise<void>;
  /** A part of a value; undefined where it is missing. @throws StoreError */
  get(id: string, no: number): Promise<Uint8Array | undefined>;
  /** Deletes all parts of a value; one that is not there is no error. @throws StoreError */
  delete(id: string): Promise<void>;
  close(): Promise<void>;
}
