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
/** A content that is being written, or whose process ended meanwhile. */
const UNFINISHED = /^[0-9A-HJKMNP-TV-Z]{26}\.part$/;

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
  readonly #folder: string;
  readonly #bytes: number;
  readonly #fetching = new Map<string, Promise<string>>();

  constructor(bytes: number = FOLDER_BYTES, folder: string = join(cacheFolder(), 'contexts')) {
    this.#bytes = bytes;
    this.#folder = folder;
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

  async #removeAbandoned(name: string): Promise<void> {
    const path = join(this.#folder, name);
    const facts = await stat(path).catch(() => undefined); // Its process may have finished it.
    if (facts !== undefined && Date.now() - facts.mtimeMs > IN_USE_MS) await rm(path, { force: true });
  }

  async #makeRoom(wanted: number): Promise<void> {
    const all = await readdir(this.#folder);
    await Promise.all(all.filter((name) => UNFINISHED.test(name)).map((name) => this.#removeAbandoned(name)));
    const names = all.filter((name) => CONTENT.test(name));
    const looks = names.map(async (name) => {
      const facts = await stat(join(this.#folder, name)).catch(() => undefined); // Another process may remove it.
      return { name, size: facts?.size ?? 0, usedAt: facts?.mtimeMs ?? 0 };
    });
    const files = await Promise.all(looks);
    let total = files.reduce((sum, { size }) => sum + size, wanted);
    for (const { name, size, usedAt } of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= this.#bytes || Date.now() - usedAt < IN_USE_MS) return;
      await rm(join(this.#folder, name), { force: true });
      total -= size;
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
