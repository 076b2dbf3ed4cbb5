/** Writes the licences of what the build copies into the package. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Dependencies of just-bash that its bundle for browsers leaves out: other bundles or native code use them. */
const LEFT_OUT: ReadonlySet<string> = new Set(['undici', 'sql.js', 'quickjs-emscripten']);

/** Copyleft licences: such code must never be copied into the package. */
const REFUSED = /\b[AL]?GPL\b/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Writes one file with the licence of just-bash and of each package that may be part of its bundle. */
export function writeThirdPartyNotices(path: string): void {
  const texts = bundledPackages('just-bash').map(({ folder, manifest }) => {
    const { name, version, license = 'unknown' } = manifest;
    if (REFUSED.test(license)) throw new Error(`${name} is under ${license} and cannot be bundled`);
    return `${name} ${version} (${license})\n\n${licenceText(folder, manifest)}`;
  });
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  writeFileSync(join(ROOT, path), `just-bash.mjs contains code of these packages.${line}${texts.join(line)}\n`);
}

function bundledPackages(first: string): readonly { folder: string; manifest: Manifest }[] {
  const found = new Map<string, Manifest>();
  const visit = (name: string, from: string): void => {
    const folder = folderOf(name, from);
    if (found.has(folder) || LEFT_OUT.has(name)) return;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    found.set(folder, manifest);
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, folder);
  };
  visit(first, ROOT);
  return [...found].map(([folder, manifest]) => ({ folder, manifest }));
}

function folderOf(name: string, from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`${name} is not installed`);
}

/** Some packages name their licence and contain no text of it: then their author is stated. */
function licenceText(folder: string, { author }: Manifest): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  return `Copyright ${typeof author === 'string' ? author : (author?.name ?? 'its authors')}`;
}
