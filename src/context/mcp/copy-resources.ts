import type { FileCopy, KeepCopy } from '../copies.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar.ts';
import { mediaTypeOf, nameFor } from '../url/media-types.ts';
import type { ResourceContent } from './mcp-client.ts';
import { listedResources, notFound, type ResourceRead, readResources } from './read-resources.ts';

/** Which resources are copied. */
export interface ResourceRequest extends ResourceRead {
  /** One, several, or all that the server lists. A URI that ends with `/` means those that begin with it. */
  readonly uris: readonly string[] | undefined;
  readonly keep: KeepCopy;
}

/** Resources in a file. */
export interface ResourceCopy extends FileCopy {
  readonly name: string;
  /** It is an archive of several resources. */
  readonly tree: boolean;
}

/** Copies one resource, or several as a tar archive. @throws RlmError `context-not-found`, `fetch-failed` */
export async function copyResources(request: ResourceRequest): Promise<ResourceCopy> {
  const { from, uris, keep, signal } = request;
  const wanted = await namedUris(request);
  const contents = readResources(wanted.uris, request);
  const first = await contents.next();
  if (first.done === true) throw notFound(from, 'its resource is empty');
  const second = wanted.several ? undefined : await contents.next();
  if (second?.done === true) {
    const { bytes, type, uri } = first.value;
    const copy = await keep(only(bytes), signal);
    return { ...copy, name: nameFor(pathOf(uri), mediaTypeOf(type).type), tree: false };
  }
  const known = second === undefined ? [first.value] : [first.value, second.value];
  const copy = await keep(archived(known, contents), signal);
  return { ...copy, name: uris?.length === 1 ? pathOf(uris[0] ?? from) : from, tree: true };
}

async function namedUris(
  request: ResourceRequest,
): Promise<{ readonly uris: readonly string[]; readonly several: boolean }> {
  const { uris, from } = request;
  const folders = uris?.filter((uri) => uri.endsWith('/')) ?? [];
  if (uris !== undefined && folders.length === 0) return { uris, several: uris.length > 1 };
  const listed = (await listedResources(request)).map(({ uri }) => uri);
  const found = (uris ?? ['']).flatMap((uri) => {
    if (uri !== '' && !uri.endsWith('/')) return [uri];
    const below = listed.filter((one) => one.startsWith(uri));
    if (below.length === 0)
      throw notFound(from, uri === '' ? 'it lists no resource' : `it lists no resource below ${uri}`);
    return below;
  });
  return { uris: [...new Set(found)], several: true };
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Pieces of a tar archive. Equal paths get a number. */
async function* archived(
  known: readonly ResourceContent[],
  rest: AsyncGenerator<ResourceContent>,
): AsyncGenerator<Buffer> {
  const taken = new Set<string>();
  const entry = ({ uri, type, bytes }: ResourceContent): Buffer => {
    const wanted = nameFor(pathOf(uri), mediaTypeOf(type).type);
    let path = wanted;
    for (let number = 2; taken.has(path); number += 1) path = wanted.replace(/(?=(\.[^./]*)?$)/, `-${number}`);
    taken.add(path);
    return Buffer.concat([tarHeader(path, bytes.length), bytes, tarPadding(bytes.length)]);
  };
  for (const content of known) yield entry(content);
  for await (const content of rest) yield entry(content);
  yield tarEnd();
}

/** A URI as a path below a folder: without its scheme, and without parts that lead out. */
function pathOf(uri: string): string {
  const bare = uri.replace(/^[a-z][a-z\d+.-]*:(?:\/\/)?/i, '').replace(/[?#].*$/s, '');
  const parts = decoded(bare)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.length === 0 ? 'resource' : parts.join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll('\0', '\uFFFD');
  } catch {
    return text;
  }
}
