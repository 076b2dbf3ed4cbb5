import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inputFolder, spoolInput, sweepInput } from '../context/spooled-input.ts';
import { DEFAULT_STORE, openToKeep, openToLook, openToWrite } from './store.ts';

const before = process.cwd();
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fathom-cli-store-'));
  mkdirSync(join(base, 'project'));
  mkdirSync(join(base, 'victim'));
  process.chdir(join(base, 'project'));
});
afterEach(() => {
  process.chdir(before);
  rmSync(base, { recursive: true });
});

describe('the usual folder', () => {
  it('is refused where it is a link; the same link by another name is followed', async () => {
    symlinkSync(join(base, 'victim'), DEFAULT_STORE);
    const refusal = { code: 'store-failure', userAction: true, message: expect.stringContaining('--store') };
    expect(() => openToKeep({ store: DEFAULT_STORE }, () => undefined)).toThrow(
      expect.objectContaining({ ...refusal, message: expect.stringContaining('--no-store') }),
    );
    expect(() => openToWrite(DEFAULT_STORE)).toThrow(expect.objectContaining(refusal));
    expect(() => openToLook(DEFAULT_STORE)).toThrow(expect.objectContaining(refusal));
    expect(readdirSync(join(base, 'victim'))).toEqual([]);
    await openToWrite('./.fathom/')[Symbol.asyncDispose]();
    expect(readdirSync(join(base, 'victim'))).toContain('store.sqlite');
  });

  it('that leads elsewhere is refused and not replaced by memory; one that is only broken is', async () => {
    mkdirSync(DEFAULT_STORE);
    symlinkSync(join(base, 'victim'), join(DEFAULT_STORE, 'blobs'));
    expect(() => openToKeep({ store: DEFAULT_STORE }, () => undefined)).toThrow('--no-store keeps nothing');
    rmSync(join(DEFAULT_STORE, 'blobs'));
    writeFileSync(join(DEFAULT_STORE, 'store.sqlite'), 'no database'.repeat(100));
    const notes: string[] = [];
    const keeping = openToKeep({ store: DEFAULT_STORE }, (line) => notes.push(line));
    expect(keeping.durable).toBe(false);
    expect(notes.join()).toContain('This run is not kept');
    await keeping[Symbol.asyncDispose]();
  });
});

describe('kept standard input', () => {
  it('is swept by name: what Fathom did not make stays, and so does what a link leads to', async () => {
    const other = openToWrite(DEFAULT_STORE);
    const spooled = await spoolInput(Readable.from(['text']), other.store, undefined);
    await using keeping = openToWrite(DEFAULT_STORE);
    const folder = inputFolder(keeping.store);
    // As long as the store that spooled it is open, it may be needed.
    await sweepInput(keeping.store);
    expect(existsSync(spooled.path)).toBe(true);
    await other[Symbol.asyncDispose]();
    for (const name of ['fathom-stdin-abcdef', 'fathom-stdin-notes of the user', 'other'])
      mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'fathom-stdin-abcdef', 'thesis.txt'), 'precious');
    mkdirSync(join(base, 'victim', 'below'));
    writeFileSync(join(base, 'victim', 'stdin'), 'precious');
    symlinkSync(join(base, 'victim'), join(folder, 'fathom-stdin-ghijkl'));
    await expect(sweepInput(keeping.store)).rejects.toMatchObject({ data: { refused: 'link' } });
    rmSync(join(folder, 'fathom-stdin-ghijkl'));
    await sweepInput(keeping.store);
    expect(existsSync(spooled.path)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['fathom-stdin-abcdef', 'fathom-stdin-notes of the user', 'other']);
    expect(readdirSync(join(base, 'victim')).sort()).toEqual(['below', 'stdin']);
  });

  it('is not written where the folder for it is a link', async () => {
    await using keeping = openToWrite(DEFAULT_STORE);
    symlinkSync(join(base, 'victim'), inputFolder(keeping.store));
    const spool = spoolInput(Readable.from(['text']), keeping.store, undefined);
    await expect(spool).rejects.toMatchObject({ data: { refused: 'link' } });
    await expect(sweepInput(keeping.store)).rejects.toMatchObject({ data: { refused: 'link' } });
    expect(readdirSync(join(base, 'victim'))).toEqual([]);
  });
});
