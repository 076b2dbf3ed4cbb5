/**
 * Runs the benches, each in a process of its own so that none pays for another's heap: `npm run bench [name…]`. A name
 * is the beginning of a file's name, e.g. `fan-out` or `python`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('./', import.meta.url);
const asked = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => asked.length === 0 || asked.some((part) => name.startsWith(part)))
  .sort();

let failed = 0;
for (const name of files) {
  console.log(`\n${name.replace('.bench.ts', '')}`);
  const path = fileURLToPath(new URL(name, folder));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) continue;
  failed += 1;
  console.log(`${name} ended with ${code ?? 'a signal'}`);
}
process.exitCode = failed > 0 ? 1 : 0;
