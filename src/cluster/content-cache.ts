import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { RlmError } from '../errors.ts';
import { cacheFolder } from '../repl/cache-folder.ts';
import type { GuestValue } from '../repl/port.ts';
import type { ChildJob } from './child-job.ts';
import type { RemoteParent } from './remote-parent.ts';

/** Default size of the cache. */
const CACHE_BYTES = 2 * 1024 ** 3;

/** Milliseconds for which a context stays whatever its size: a child may be reading it. */
const IN_USE_MS = 600_000;

const CONTENT = /^[0-9a-f]{64}$/;

/** Contexts on this machine, by the hash of their content: each is fetched once, and the ones unused for longest are removed. */
export class ContentCache {
  readonly #folder = join(cacheFolder(), 'contexts');
  readonly #bytes: number;
  readonly #fetching = new Map<string, Promise<string>>();

  constructor(bytes: number = CACHE_BYTES) {
    this.#bytes = bytes;
  }

  /** The context of a child. @throws RlmError `context-invalid` when its content is not what was announced */
  async contextOf({ context }: ChildJob, parent: RemoteParent): Promise<GuestValue | undefined> {
    if (context === undefined) return undefined;
    const { kind, bytes, encoding = 'utf-8', as = 'text', wide } = context;
    const path = await this.#pathOf(context, parent);
    if (kind === 'file') return { kind, path, bytes, encoding, as, skip: 0 };
    const content = await readFile(path);
    const text = content.toString(wide === true ? 'utf16le' : 'utf8');
    return kind === 'text' ? { kind, text } : { kind, json: text };
  }

  async #pathOf(context: NonNullable<ChildJob['context']>, parent: RemoteParent): Promise<string> {
    const { sha256 } = context;
    if (!CONTENT.test(sha256)) throw damaged(sha256);
    const path = join(this.#folder, sha256);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined) {
      await utimes(path, new Date(), new Date());
      return path;
    }
    let fetching = this.#fetching.get(sha256);
    if (fetching === undefined) {
      fetching = this.#fetch(path, context, parent).finally(() => this.#fetching.delete(sha256));
      this.#fetching.set(sha256, fetching);
    }
    return await fetching;
  }

  async #fetch(
    path: string,
    { sha256, bytes }: NonNullable<ChildJob['context']>,
    parent: RemoteParent,
  ): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const aside = join(this.#folder, `${ulid()}.part`);
    const file = await open(aside, 'wx', 0o600);
    const hash = createHash('sha256');
    let offset = 0;
    try {
      while (offset < bytes) {
        const part = Buffer.from(String(await parent.ask('content', { offset })), 'base64');
        if (part.length === 0) break;
        hash.update(part);
        await file.write(part);
        offset += part.length;
      }
    } finally {
      await file.close();
    }
    if (hash.digest('hex') !== sha256) {
      await rm(aside, { force: true });
      throw damaged(sha256);
    }
    await this.#makeRoom(bytes);
    await rename(aside, path);
    return path;
  }

  async #makeRoom(wanted: number): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => CONTENT.test(name));
    const files = await Promise.all(names.map(async (name) => ({ name, facts: await stat(join(this.#folder, name)) })));
    let total = files.reduce((sum, { facts }) => sum + facts.size, wanted);
    for (const { name, facts } of files.sort((a, b) => a.facts.mtimeMs - b.facts.mtimeMs)) {
      if (total <= this.#bytes || Date.now() - facts.mtimeMs < IN_USE_MS) return;
      await rm(join(this.#folder, name), { force: true });
      total -= facts.size;
    }
  }
}

function damaged(sha256: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The context ${sha256} did not arrive as it was sent: it changed meanwhile.`,
    data: { sha256 },
  });
}
