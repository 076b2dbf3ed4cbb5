import type { ContextRemark } from '../event/event.ts';
import type { FileValue, JsonValue, ReplValue } from '../repl/port.ts';
import { ContextRoom } from './large/context-room.ts';

const sourceMark: unique symbol = Symbol.for('fathom-rlm.context-source');
const namedMark: unique symbol = Symbol.for('fathom-rlm.named-contexts');

/** A context as a caller gives it: text, a JSON value, a source, or several under their own names. */
export type ContextInput = string | JsonValue | ContextSource | NamedContexts;

/** A context that is looked at when the completion starts: a file, a folder, a value projected from the host. */
export interface ContextSource {
  readonly [sourceMark]: true;
  /**
   * @param room what contexts may take in the REPL; default: that of the default limits
   * @throws RlmError `context-not-found`, `context-invalid`
   */
  readonly load: (room?: ContextRoom) => Promise<LoadedContext>;
}

/** Several contexts, each a variable of its own; made by {@link contexts}. */
export interface NamedContexts {
  readonly [namedMark]: Readonly<Record<string, string | JsonValue | ContextSource>>;
}

/** Reads of a value that stays on the host until a cell asks for a part of it. */
export type Projection =
  | {
      readonly shape: 'text';
      /** Code points. */
      readonly length: () => number | Promise<number>;
      readonly slice: (start: number, stop: number) => string | Promise<string>;
    }
  | {
      readonly shape: 'list';
      readonly length: () => number | Promise<number>;
      readonly slice: (start: number, stop: number) => readonly JsonValue[] | Promise<readonly JsonValue[]>;
    }
  | {
      readonly shape: 'mapping';
      readonly keys: () => readonly string[] | Promise<readonly string[]>;
      readonly get: (key: string) => JsonValue | undefined | Promise<JsonValue | undefined>;
    };

/** Something out of the ordinary in a context: how a file was read, or what was left out of a folder. */
export interface ContextNote extends ContextRemark {
  /** A clause that only the model needs. */
  readonly forModel?: string;
}

/** A context ready to be bound: the value, and its description for the model, without its body. */
export interface LoadedContext {
  readonly value: ReplValue;
  /** Python type, e.g. `str`. */
  readonly type: string;
  /** Characters of a text, items of a list or mapping; undefined when unknown before it is loaded. */
  readonly size: number | undefined;
  /** The unit of the size, e.g. `characters`. */
  readonly unit: string;
  /** Lines of a text. */
  readonly lines?: number;
  /** Types of the parts of a JSON value, in words, e.g. `` items: dict with `id` (int) ``. */
  readonly shape?: string;
  /** A bounded look at its beginning, middle and end; undefined where looking would mean reading it. */
  readonly preview: string | undefined;
  /** Its source in words, e.g. ``text of `invoices.csv` (CSV, 1.2 MB, UTF-8)``. */
  readonly description?: string;
  /** Notes for the user and the model on how it was read. */
  readonly notes?: readonly ContextNote[];
  readonly empty: boolean;
  readonly projection?: Projection;
  /** It is too large for the REPL: all of it is read on demand. */
  readonly onDemand?: true;
  /** The file that it is made of, where its value is not that file: it is read again when a run is resumed. */
  readonly origin?: FileValue;
}

export function isContextSource(value: unknown): value is ContextSource {
  return typeof value === 'object' && value !== null && sourceMark in value;
}

export function isNamedContexts(value: unknown): value is NamedContexts {
  return typeof value === 'object' && value !== null && namedMark in value;
}

/** Wraps a loader as a {@link ContextSource}. */
export function contextSource(load: (room: ContextRoom) => Promise<LoadedContext>): ContextSource {
  return { [sourceMark]: true, load: (room = new ContextRoom()) => load(room) };
}

/**
 * Several contexts under their own variable names; `context` becomes a read-only mapping of them.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'What changed?', context: contexts({ before: fromFile('v1.txt'), after: fromFile('v2.txt') }) });
 * ```
 */
export function contexts(named: Readonly<Record<string, string | JsonValue | ContextSource>>): NamedContexts {
  return { [namedMark]: { ...named } };
}

/** The parts of {@link contexts}, by name. */
export function partsOf(named: NamedContexts): Readonly<Record<string, string | JsonValue | ContextSource>> {
  return named[namedMark];
}
