import type { Output } from './output.ts';
import { attribute, readXml } from './xml.ts';
import type { Zip } from './zip.ts';

/** Names of `docProps/core.xml` and of OpenDocument's `meta.xml`, and what they are called here. */
const CORE: ReadonlyMap<string, string> = new Map([
  ['creator', 'author'],
  ['initial-creator', 'author'],
  ['subject', 'subject'],
  ['description', 'description'],
  ['keywords', 'keywords'],
  ['created', 'created'],
  ['creation-date', 'created'],
  ['modified', 'modified'],
  ['date', 'modified'],
  ['lastModifiedBy', 'lastModifiedBy'],
]);

/** Title, author and dates of an office document. */
export async function readProperties(zip: Zip, name: string, output: Output): Promise<void> {
  let inside = '';
  let value = '';
  await readXml(zip.pieces(name), {
    open: (tag) => {
      inside = tag;
      value = '';
    },
    text: (text) => {
      value += text;
    },
    close: (tag) => {
      const fact = tag === inside ? CORE.get(tag) : undefined;
      if (fact !== undefined) output.facts({ [fact]: value });
      if (tag === 'title' && tag === inside) output.title = value;
    },
  });
}

/** Targets of relationships by their id, as paths in the archive. */
export async function relationships(zip: Zip, part: string): Promise<ReadonlyMap<string, string>> {
  const slash = part.lastIndexOf('/');
  const folder = part.slice(0, slash + 1);
  const targets = new Map<string, string>();
  await readXml(zip.pieces(`${folder}_rels/${part.slice(slash + 1)}.rels`), {
    open(tag, attributes) {
      const [id, target] = [attribute(attributes, 'Id'), attribute(attributes, 'Target')];
      if (tag !== 'Relationship' || id === undefined || target === undefined) return;
      const external = attribute(attributes, 'TargetMode') === 'External';
      targets.set(id, external ? target : resolved(folder, target));
    },
  });
  return targets;
}

/** A path relative to a folder of the archive. */
export function resolved(folder: string, target: string): string {
  const parts: string[] = [];
  for (const part of (target.startsWith('/') ? target : folder + target).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
