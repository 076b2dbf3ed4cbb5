import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Content, ContentFolder } from './content-folder.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-contents-'));
});
afterEach(() => rm(folder, { recursive: true }));

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const contentOf = (text: string, written = text): Content => ({
  sha256: hashOf(text),
  bytes: text.length,
  async write(path) {
    await writeFile(path, written);
    return hashOf(written);
  },
});
/** As if it had been used last an hour ago. */
const age = (name: string): Promise<void> => {
  const before = new Date(Date.now() - 3_600_000);
  return utimes(join(folder, name), before, before);
};

describe('contexts of a machine', () => {
  it('make room for new ones, those unused for longest first, but for those in use', async () => {
    const kept = new ContentFolder(25, folder);
    for (const text of ['first-----', 'second----']) await kept.pathOf(contentOf(text));
    await age(hashOf('first-----'));
    await kept.pathOf(contentOf('third-----'));
    await kept.pathOf(contentOf('fourth----'));
    expect(await readdir(folder)).toEqual(['second----', 'third-----', 'fourth----'].map(hashOf).sort());
  });

  it('leave nothing of one that arrives changed', async () => {
    const kept = new ContentFolder(1_000, folder);
    await expect(kept.pathOf(contentOf('sent', 'other'))).rejects.toMatchObject({ code: 'context-invalid' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('remove what a process that was killed had begun to write', async () => {
    const abandoned = '01ARZ3NDEKTSV4RRFFQ69G5FAV.part';
    const underWay = '01ARZ3NDEKTSV4RRFFQ69G5FAW.part';
    for (const name of [abandoned, underWay]) await writeFile(join(folder, name), 'x');
    await age(abandoned);
    await new ContentFolder(1_000, folder).pathOf(contentOf('text'));
    expect(await readdir(folder)).toEqual([underWay, hashOf('text')].sort());
  });
});
