/** A value kept apart from the records that name it. Equal values are kept once. */
export interface BlobRef {
  /** On disk the SHA-256 of the bytes, in hex. */
  readonly id: string;
  /** Size before compression. */
  readonly bytes: number;
  /** `utf-16` for text with lone surrogates, which has no UTF-8 form. */
  readonly content: 'bytes' | 'utf-8' | 'utf-16';
}

/** Large values: contexts given as text, heap images, exported snapshots. */
export interface BlobStore {
  /** Stores a value; when it resolves, the value is synced and a record may name it. */
  put(value: string | Uint8Array, owner: string): Promise<BlobRef>;
  /** Stores a copy of a file without reading it into memory. */
  putFile(path: string, owner: string): Promise<BlobRef>;
  /** @throws RlmError `store-failure` when it is missing or not what was stored */
  text(ref: BlobRef): Promise<string>;
  /** @throws RlmError `store-failure` when it is missing or not what was stored */
  bytes(ref: BlobRef): Promise<Uint8Array>;
  /** Writes the value to a file. @throws RlmError `store-failure` when it is missing or not what was stored */
  copyTo(ref: BlobRef, path: string): Promise<void>;
  /** Gives up one owner's claims, on one value or on all; a value without an owner is deleted and its space is free. */
  release(owner: string, ref?: BlobRef): Promise<void>;
}
