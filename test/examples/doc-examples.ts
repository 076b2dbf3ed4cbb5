import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** A block of code on a page of docs/, and the block behind it that says what it prints. */
export interface DocExample {
  readonly code: string;
  /** Undefined where no `text` block follows. */
  readonly prints: string | undefined;
}

/** The `ts` blocks of a page, in order. */
export function docExamples(page: string): readonly DocExample[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8');
  const blocks = [...text.matchAll(/^```(ts|text)\n([\s\S]*?)^```$/gm)].map(([, tag, body = '']) => ({ tag, body }));
  return blocks.flatMap(({ tag, body }, index) => {
    if (tag !== 'ts') return [];
    const next = blocks[index + 1];
    return [{ code: body, prints: next?.tag === 'text' ? next.body : undefined }];
  });
}

/** Where the names of packages lead in this repository. */
const PACKAGES: Readonly<Record<string, string>> = {
  ai: import.meta.resolve('ai'),
  'fathom-rlm': new URL('../../src/index.ts', import.meta.url).href,
  'fathom-rlm/ai-sdk': new URL('../../src/ai-sdk/index.ts', import.meta.url).href,
  'fathom-rlm/compact': new URL('../../src/compact/index.ts', import.meta.url).href,
  'fathom-rlm/guard': new URL('../../src/guard/index.ts', import.meta.url).href,
  'fathom-rlm/policy': new URL('../../src/policy/index.ts', import.meta.url).href,
  'fathom-rlm/test': new URL('../../src/test.ts', import.meta.url).href,
};

/** The standard output of an example that runs as a program of its own, in an empty folder. */
export async function outputOfExample(code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'example.ts');
  writeFileSync(
    file,
    code.replace(/from '([^']+)'/g, (all, name: string) =>
      PACKAGES[name] === undefined ? all : `from '${PACKAGES[name]}'`,
    ),
  );
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: folder });
  return stdout;
}
