import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { ContentFolder } from '../context/content-folder.ts';
import type { GuestValue } from '../repl/port.ts';
import type { ChildJob } from './child-job.ts';
import type { RemoteParent } from './remote-parent.ts';

type Sent = NonNullable<ChildJob['context']>;

/** The contexts of children, fetched from the processes that ask, once for this machine. */
export class ContentCache {
  readonly #folder: ContentFolder;

  constructor(bytes?: number) {
    this.#folder = new ContentFolder(bytes);
  }

  /** The context of a child. @throws RlmError `context-invalid` when its content is not what was announced */
  async contextOf({ context }: ChildJob, parent: RemoteParent): Promise<GuestValue | undefined> {
    if (context === undefined) return undefined;
    const { kind, bytes, sha256, encoding = 'utf-8', as = 'text', wide } = context;
    const path = await this.#folder.pathOf({ sha256, bytes, write: (aside) => fetchTo(aside, context, parent) });
    if (kind === 'file') return { kind, path, bytes, encoding, as, skip: 0 };
    const content = await readFile(path);
    const text = content.toString(wide === true ? 'utf16le' : 'utf8');
    return kind === 'text' ? { kind, text } : { kind, json: text };
  }
}

/** Fetches a context in parts, and returns its hash. */
async function fetchTo(path: string, { bytes }: Sent, parent: RemoteParent): Promise<string> {
  const file = await open(path, 'wx', 0o600);
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
  return hash.digest('hex');
}
