import { countCharacters, countLines } from '../code-points.ts';
import { RlmError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { isVariableName } from '../repl/names.ts';
import type { JsonValue } from '../repl/port.ts';
import {
  type ContextInput,
  type ContextSource,
  isContextSource,
  isNamedContexts,
  type LoadedContext,
  type NamedContexts,
  partsOf,
} from './input.ts';
import { jsonShape } from './json-shape.ts';
import { ContextRoom } from './large/context-room.ts';
import { previewText } from './preview.ts';

/** The context of a completion: one value, or several by name. */
export type ContextSet =
  | { readonly kind: 'one'; readonly context: LoadedContext }
  | { readonly kind: 'named'; readonly contexts: ReadonlyMap<string, LoadedContext> };

const NO_CONTEXT: LoadedContext = {
  value: { kind: 'none' },
  type: 'NoneType',
  size: 0,
  unit: 'characters',
  preview: undefined,
  empty: true,
};

/**
 * Looks at what the caller gave: types, sizes, previews; files are opened later, by the REPL.
 *
 * @param room what all of it may take in the REPL; files for which there is too little are read on demand
 * @throws RlmError `context-invalid`, `context-not-found`, `context-length`, `invalid-name`
 */
export async function loadContext(
  input: ContextInput | undefined,
  room: ContextRoom = new ContextRoom(),
): Promise<ContextSet> {
  if (isNamedContexts(input)) return { kind: 'named', contexts: await loadNamed(input, room) };
  return { kind: 'one', context: await loadValue(input, room) };
}

/** True when there is nothing to inspect. */
export function isEmptyContext(set: ContextSet): boolean {
  if (set.kind === 'one') return set.context.empty;
  return [...set.contexts.values()].every((context) => context.empty);
}

async function loadNamed(named: NamedContexts, room: ContextRoom): Promise<Map<string, LoadedContext>> {
  const loaded = new Map<string, LoadedContext>();
  for (const [name, part] of Object.entries(partsOf(named))) {
    checkVariableName(name);
    loaded.set(name, await loadValue(part, room));
  }
  if (loaded.size === 0) throw invalid('contexts({}) holds no context; name at least one');
  return loaded;
}

/** One value as a context. @throws RlmError as {@link loadContext} */
export async function loadValue(
  input: string | JsonValue | ContextSource | undefined,
  room: ContextRoom = new ContextRoom(),
): Promise<LoadedContext> {
  if (input === undefined || input === null) return NO_CONTEXT;
  if (typeof input === 'string') return textContext(input);
  if (isContextSource(input)) return await input.load(room);
  return jsonContext(input as JsonValue);
}

function textContext(text: string): LoadedContext {
  return {
    value: { kind: 'text', text },
    type: 'str',
    size: countCharacters(text),
    unit: 'characters',
    lines: countLines(text),
    preview: previewText(text),
    empty: text.length === 0,
  };
}

function jsonContext(value: JsonValue): LoadedContext {
  const json = jsonText(value, invalid);
  // The REPL gets the result of `toJSON`, for a date for example.
  return describeJson(json, hasToJson(value) ? JSON.parse(json) : value);
}

function hasToJson(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';
}

/** A JSON value as a context; `json` is its text. */
export function describeJson(json: string, value: JsonValue): LoadedContext {
  if (value === null) return NO_CONTEXT;
  if (typeof value === 'string') return textContext(value);
  const type = pythonType(json, value);
  const size = Array.isArray(value) ? value.length : typeof value === 'object' ? Object.keys(value).length : undefined;
  return {
    value: { kind: 'json', json },
    type,
    size,
    unit: type === 'list' ? 'items' : 'keys',
    ...(typeof value === 'object' && { shape: jsonShape(value) }),
    preview: previewText(json),
    empty: size === 0,
  };
}

function pythonType(json: string, value: JsonValue): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'dict';
  if (typeof value === 'boolean') return 'bool';
  return /[.e]/.test(json) ? 'float' : 'int';
}

/** @throws RlmError `invalid-name` when cells could not use a variable of that name */
export function checkVariableName(name: string): void {
  if (isVariableName(name)) return;
  throw new RlmError({
    code: 'invalid-name',
    message: `"${name}" cannot be a variable name: use ASCII letters, digits and _, not starting with a digit, and neither a Python keyword nor a name of the form __x__.`,
    userAction: true,
    data: { name },
  });
}

function invalid(what: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The context cannot be used: ${what}. Give text, a JSON value, or a source such as fromFile(path).`,
    userAction: true,
  });
}
