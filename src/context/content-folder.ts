import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { RlmError } from '../errors.ts';
import { cacheFolder } from '../repl/cache-folder.ts';

/** Default size of the folder. */
const FOLDER_BYTES = 2 * 1024 ** 3;

/** Milliseconds for which a context stays whatever its size: a run may be reading it. */
const IN_USE_MS = 600_000;

const CONTENT = /^[0-9a-f]{64}$/;

/** A content to fetch. */
export interface Content {
  /** SHA-256 in hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Writes it to a new file, and returns the hash of what it wrote. */
  readonly write: (path: string) => Promise<string>;
}

/** Contexts on this machine, by the hash of their content: each is fetched once, and the ones unused for longest are removed. */
export class ContentFolder {
  readonly #folder = join(cacheFolder(), 'contexts');
  readonly #bytes: number;
  readonly #fetching = new Map<string, Promise<string>>();

  constructor(bytes: number = FOLDER_BYTES) {
    this.#bytes = bytes;
  }

  /** The file of a content. @throws RlmError `context-invalid` when its content is not what was announced */
  async pathOf(content: Content): Promise<string> {
    const { sha256 } = content;
    if (!CONTENT.test(sha256)) throw damaged(sha256);
    const path = join(this.#folder, sha256);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined) {
      await utimes(path, new Date(), new Date());
      return path;
    }
    let fetching = this.#fetching.get(sha256);
    if (fetching === undefined) {
      fetching = this.#fetch(path, content).finally(() => this.#fetching.delete(sha256));
      this.#fetching.set(sha256, fetching);
    }
    return await fetching;
  }

  async #fetch(path: string, { sha256, bytes, write }: Content): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const aside = join(this.#folder, `${ulid()}.part`);
    try {
      if ((await write(aside)) !== sha256) throw damaged(sha256);
      await this.#makeRoom(bytes);
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
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
