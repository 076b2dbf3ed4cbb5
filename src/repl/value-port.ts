/**
 * Values on their way into a REPL, and what is bound there.
 *
 * @module
 */

import type { TextEncoding } from '../text-encoding.ts';

/** A value that crosses as JSON. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A value to bind. Text and file contents never pass through source code. */
export type ReplValue =
  | { readonly kind: 'none' }
  /** Byte-exact text; lone surrogates arrive as the same code points. */
  | { readonly kind: 'text'; readonly text: string }
  /** JSON text, parsed by Python (exact integers). */
  | { readonly kind: 'json'; readonly json: string }
  | FileValue
  | BytesValue
  /** Read on demand from the host; the guest sees a lazy sequence, mapping or text. */
  | {
      readonly kind: 'projection';
      readonly id: string;
      readonly shape: 'text' | 'list' | 'mapping';
      readonly size?: number;
    }
  /** A read-only mapping of other bound names, for several named contexts and for seed values. A key is the part of a name behind its dot. */
  | { readonly kind: 'mapping'; readonly names: readonly string[] }
  /** The very object already bound under another name, e.g. `context` for `context_0`. */
  | { readonly kind: 'alias'; readonly of: string }
  /** A value that is not at hand: its use raises a `LookupError` with this message. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** One file as a text that has the attributes of a document. */
  | ConvertedDocument
  /** A list of documents, each `{ path, text… }` with attribute access. */
  | {
      readonly kind: 'documents';
      readonly documents: readonly DocumentValue[];
      /** The projection by which those that are converted are read. */
      readonly id?: string;
    };

/** A file that a converter made a document of: its text is bound, its tables and members are read by `id`. */
export interface ConvertedDocument {
  readonly kind: 'document';
  readonly id: string;
  readonly path: string;
  /** The file itself. */
  readonly file: FileValue;
  /** Absent for a kind without text, such as an image. */
  readonly text?: FileValue;
  /** Facts about it: kind, title, pages, columns of tables, members. */
  readonly facts: JsonValue;
}

/** A file on the host that reaches the REPL by a read-only descriptor, never through the channel. */
export interface FileValue {
  readonly kind: 'file';
  readonly path: string;
  /** Bytes of the file when it was looked at. */
  readonly bytes: number;
  /** `binary` for bytes. */
  readonly encoding: TextEncoding;
  /** Bytes of byte-order mark to skip. */
  readonly skip: number;
  readonly as: 'text' | 'json' | 'bytes';
  /** The kind of document that a converter makes of it: then its bytes are read on demand, and nothing of it is bound. */
  readonly converts?: string;
  /** It is too large to be a value of the REPL, or one of too many: it is read on demand, and nothing of it is bound. */
  readonly onDemand?: true;
  /** When it was written to last, in nanoseconds since 1970. Absent for files of Fathom's own. */
  readonly modified?: string;
  /** The encoding that the caller named; absent where it was found by looking. */
  readonly named?: TextEncoding;
  /** Its name, where that is not the end of its path: standard input, for example. */
  readonly name?: string;
  /** Device and number of the file that was checked: another one of that path is refused. Absent where every file may be read. */
  readonly identity?: string;
}

/** Bytes of the host's memory, such as an image of a message. They are bound as `bytes`. */
export interface BytesValue {
  readonly kind: 'bytes';
  readonly data: Uint8Array;
}

/** Whether nothing of a file is bound: the host reads it, and converts it where need be, when a cell uses it. */
export function isReadOnDemand({ converts, onDemand }: Pick<FileValue, 'converts' | 'onDemand'>): boolean {
  return converts !== undefined || onDemand === true;
}

/** One document of a list of them. */
export interface DocumentValue {
  readonly path: string;
  readonly content: FileValue | BytesValue | { readonly kind: 'text'; readonly text: string };
  /** Facts that do not come out of its content: those of a mail, whose content is its text. */
  readonly about?: {
    readonly title?: string;
    readonly meta?: Readonly<Record<string, JsonValue>>;
    /** Of an attachment. */
    readonly attachment?: { readonly id: string; readonly mediaType?: string; readonly label?: string };
  };
}

/** A file of a context that cells can open, read-only. */
export interface ContextFile {
  /** Its path below {@link CONTEXT_FOLDER}, with `/` and neither empty parts nor `.` nor `..`. */
  readonly at: string;
  readonly file: Pick<FileValue, 'path' | 'bytes' | 'identity'>;
}

/** Where cells find the files of contexts, in the working directory. */
export const CONTEXT_FOLDER = 'context';

/** The values, files, tools and answer type that `bind` sets. */
export interface ReplBindings {
  /**
   * `context`, `context_0`, named contexts, seeds, attachments, … Values bound before stay as they are. One whose name has a dot becomes
   * a part of a mapping and not a variable.
   */
  readonly values?: Readonly<Record<string, ReplValue>>;
  /** Files that cells can open below {@link CONTEXT_FOLDER}. Those bound before stay, but one of the same path is replaced. */
  readonly files?: readonly ContextFile[];
  readonly tools?: readonly ToolBinding[];
  /** Present when the answer is typed: FINAL asks the host to check it; property names in schema order for SUBMIT. */
  readonly output?: { readonly properties: readonly string[] } | null;
  /** US dollars per million tokens of the sub-model, for estimates in cells. Null where they are not known. */
  readonly price?: { readonly input: number; readonly output: number } | null;
}

/** A tool as the guest knows it. */
export interface ToolBinding {
  readonly name: string;
  readonly description: string;
  /** Parameter names in the schema's property order, for positional calls. */
  readonly parameters: readonly string[];
}
