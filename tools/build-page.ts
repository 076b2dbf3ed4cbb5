/** Builds the page (`viewer/`) into one script and one style sheet. Nothing of it is loaded from elsewhere at run time. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeThirdPartyNotices } from './third-party-notices.ts';

const VIEWER = fileURLToPath(new URL('../viewer', import.meta.url));

/** The packages whose code is in the page. */
const BUNDLED = ['preact', '@preact/signals', 'lowlight'] as const;

/** Writes `app.js` and `app.css` into a folder, each whole or not at all: tests of several processes build at once. */
export async function buildPage(folder: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: { app: join(VIEWER, 'src', 'main.tsx') },
    outdir: folder,
    tsconfig: join(VIEWER, 'tsconfig.json'),
    ...{ bundle: true, minify: true, write: false, format: 'iife', platform: 'browser', target: 'es2022' },
    // An inline script and an inline style end at their closing tag, even inside a string.
    ...{ charset: 'ascii', legalComments: 'none', logLevel: 'warning', jsx: 'automatic', jsxImportSource: 'preact' },
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  mkdirSync(folder, { recursive: true });
  writeThirdPartyNotices({ folder, subject: 'app.js', packages: BUNDLED });
  for (const { path, contents } of outputFiles) {
    const draft = `${path}.${randomUUID()}`;
    writeFileSync(draft, contents);
    renameSync(draft, path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(join(VIEWER, 'dist'));
