/** Words of Python's grammar: no name can be one. */
const PYTHON_KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/**
 * Whether cells can use a value under this name: an ASCII identifier that is neither a Python keyword nor one of the names
 * that Python keeps for itself (`__builtins__`, `__name__`, …).
 */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !PYTHON_KEYWORDS.has(name) && !/^__.*__$/.test(name);
}
