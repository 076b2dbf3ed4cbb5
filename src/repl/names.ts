/**
 * Names in a REPL: what callers may call variables and snapshots, and what the runtime binds itself.
 *
 * @module
 */

/** Names the runtime binds itself. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'context',
  'history',
  'llm_query',
  'llm_query_batched',
  'rlm_query',
  'rlm_query_batched',
  'allm_query',
  'allm_query_batched',
  'arlm_query',
  'arlm_query_batched',
  'LLMError',
  'BudgetExceeded',
  'FINAL',
  'FINAL_VAR',
  'SUBMIT',
  'SHOW_VARS',
  'answer',
  'continue_with',
]);

/** Functions and types of Python that code uses without an import; errors and rare names are left out. */
const PYTHON_BUILTINS: ReadonlySet<string> = new Set(
  (
    'abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict ' +
    'dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex id input int ' +
    'isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print property quit range ' +
    'repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip'
  ).split(' '),
);

const PYTHON_KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/** An ASCII Python identifier. */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !PYTHON_KEYWORDS.has(name);
}

/** A name that the runtime binds, numbers contexts with, or that is Python's own, such as `__builtins__`. */
export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name) || /^context_\d+$/.test(name) || /^__.*__$/.test(name);
}

/** A name that cells expect to be Python's own: a tool of that name would change what their code does. */
export function isPythonBuiltin(name: string): boolean {
  return PYTHON_BUILTINS.has(name);
}

/** A name of a snapshot: 1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit. */
export function isSnapshotName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}
