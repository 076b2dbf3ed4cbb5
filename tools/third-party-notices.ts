/** Writes the licences of what the build copies into the package. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

/** Bundled packages and their folder. */
interface Bundle {
  readonly folder: string;
  /** The first words of the file. */
  readonly subject: string;
  readonly packages: readonly string[];
  /** Notices of code that is within a package. */
  readonly within?: readonly string[];
}

/** Writes one file with the licence of each package that may be part of a bundle. */
export function writeThirdPartyNotices({ folder: target, subject, packages, within = [] }: Bundle): void {
  const texts = bundledPackages(packages).map(({ folder, manifest }) => {
    const { name, version, license = 'unknown' } = manifest;
    if (REFUSED.test(license)) throw new Error(`${name} is under ${license} and cannot be bundled`);
    return `${name} ${version} (${license})\n\n${licenceText(folder, manifest)}`;
  });
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  const path = resolve(ROOT, target, 'THIRD-PARTY-NOTICES.txt');
  const verb = subject.startsWith('The ') ? 'contain' : 'contains';
  writeFileSync(path, `${subject} ${verb} code of these packages.${line}${[...texts, ...within].join(line)}\n`);
}

function bundledPackages(names: readonly string[]): readonly { folder: string; manifest: Manifest }[] {
  const found = new Map<string, Manifest>();
  const visit = (name: string, from: string): void => {
    const folder = folderOf(name, from);
    if (found.has(folder) || LEFT_OUT.has(name)) return;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    found.set(folder, manifest);
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, folder);
  };
  for (const name of names) visit(name, ROOT);
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
