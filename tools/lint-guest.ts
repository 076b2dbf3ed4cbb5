/**
 * Lints the guest's Python and checks its format: `node tools/lint-guest.ts`. With `--write` it formats.
 *
 * Ruff comes as WebAssembly from npm, so that no check needs more than `npm ci`.
 *
 * @module
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs';
import { parse } from 'smol-toml';

/** The folders that are checked. */
const FOLDERS = ['fathom_guest', 'fathom_pyodide', 'fathom_native', 'tests', 'tests_native'];
/** Modules import this as `__builtins__`, which has its effect without being used by name. */
const OWN_BUILTINS = 'own_builtins';

const write = process.argv.includes('--write');
const ruff = new Workspace(parse(readFileSync('guest/ruff.toml', 'utf8')), PositionEncoding.Utf16);
const files = FOLDERS.flatMap((folder) => globSync(`guest/${folder}/**/*.py`)).sort();
if (files.length === 0) throw new Error('There is no Python below guest/: run this at the top of the repository.');
const findings = files.flatMap(check);
for (const finding of findings) console.log(finding);
console.log(`${files.length} files of Python checked, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;

function check(file: string): string[] {
  const found: string[] = [];
  let source = readFileSync(file, 'utf8');
  const formatted = ruff.format(source);
  if (formatted !== source && write) {
    writeFileSync(file, formatted);
    source = formatted;
  } else if (formatted !== source) {
    found.push(`${file}: not formatted; npm run lint:guest -- --write formats it`);
  }
  for (const { code, message, start_location: at } of ruff.check(source)) {
    if (code === 'F401' && message.includes(OWN_BUILTINS)) continue;
    found.push(`${file}:${at.row}:${at.column}: ${code ?? 'syntax'} ${message}`);
  }
  return found;
}
