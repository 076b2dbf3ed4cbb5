import type * as sqlite from 'node:sqlite';

let loaded: typeof sqlite | undefined;

/** `node:sqlite` without the one warning that it is experimental; all other warnings pass. */
export function loadSqlite(): typeof sqlite {
  if (loaded !== undefined) return loaded;
  const { emitWarning } = process;
  // Node warns while the module loads, and getBuiltinModule loads it in this very call: no other warning is dropped.
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite is an experimental feature')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    loaded = process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
  return loaded;
}
