import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonValue } from '../repl/port.ts';
import { event, type Opened, otherProcessConformance, run, written } from './conformance-processes.testing.ts';
import type { SessionRecord, Store } from './index.ts';

export type { Opened } from './conformance-processes.testing.ts';

function session(id: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    ...{ id, state: 'ready', createdAt: `2026-01-0${id.slice(-1)}`, updatedAt: '2026-01-09', expiresAt: '2026-02-01' },
    ...{ extensions: 0, more: { snapshots: [] }, ...more },
  } as SessionRecord;
}

const long = (seed: string): string => `${seed} lorem ipsum dolor sit amet `.repeat(60);

/** The cases that every store passes. */
export function storeConformance(name: string, open: () => Opened): void {
  describe(`a store (${name})`, () => {
    let opened: Opened;
    let store: Store;
    beforeEach(() => {
      opened = open();
      store = opened.store;
    });
    afterEach(() => opened.end());

    describe('events', () => {
      it('come back as they were, in order, in parts', async () => {
        const events = [1, 2, 3, 4].map((seq) => event(seq, `text ${seq}`));
        for (const each of events) void store.events.append(each, written);
        expect(await store.events.read('run')).toEqual(events);
        expect(await store.events.read('run', { after: 1, limit: 2 })).toEqual(events.slice(1, 3));
        expect(await (await opened.again()).events.read('run')).toEqual(events);
        expect(await store.events.read('other').catch(() => [])).toEqual([]);
      });

      it('name their parent and their tree', async () => {
        const child = { ...event(1, ''), runId: 'child', parentRunId: 'run' };
        await store.events.append(child, { identity: undefined, durability: 'synced' });
        expect(await store.events.read('child')).toEqual([child]);
      });

      it('have a tail, and a terminal record can be taken back', async () => {
        expect(await store.events.tail('run')).toEqual({ lastSeq: 0, identities: [] });
        await store.events.append(event(1, ''), { ...written, identity: 'turn.completed t1' });
        await store.events.append(event(2, ''), { ...written, identity: 'turn.completed t1' });
        await store.events.append(event(3, ''), written);
        await store.events.truncate('run', 3);
        const identities = ['turn.completed t1', 'turn.completed t1'];
        expect(await store.events.tail('run')).toEqual({ lastSeq: 2, identities });
      });
    });

    describe('the journal', () => {
      it('keeps entries in the order in which they were submitted, apart for each id', async () => {
        const entries = Array.from({ length: 50 }, (_, n) => ({ kind: 'step', key: `k${n}`, body: { n } }));
        for (const [n, entry] of entries.entries()) void store.journal.append('a', entry, n % 3 ? 'written' : 'synced');
        void store.journal.append('b', { kind: 'step', key: 'other', body: null }, 'written');
        expect(await store.journal.read('a')).toEqual(entries);
        expect(await (await opened.again()).journal.read('a')).toEqual(entries);
      });

      it('keeps any JSON value', async () => {
        const bodies: JsonValue[] = [
          { text: long('x'), again: long('x'), part: long('x').slice(100, 900), around: `<${long('x')}>` },
          { nul: `${'a'.repeat(600)}\0${'b'.repeat(600)}`, lone: `${'a'.repeat(600)}\ud800`, emoji: '😀'.repeat(600) },
          { reference: { $t: 1 }, others: [{ $c: [1, 2, 3] }, { $s: [] }, { $o: { $t: 1 } }], $t: 1, $o: long('o') },
          JSON.parse(`{"__proto__": {"a": "${'p'.repeat(600)}"}, "constructor": null}`),
        ];
        for (const [n, body] of bodies.entries())
          void store.journal.append('a', { kind: 'k', key: `${n}`, body }, 'written');
        const again = await opened.again();
        const read = await again.journal.read('a');
        expect(read.map((entry) => JSON.stringify(entry.body))).toEqual(bodies.map((body) => JSON.stringify(body)));
      });

      it('keeps any texts, whatever they share', async () => {
        const pieces = fc.constantFrom(
          long('a'),
          long('b'),
          'ab'.repeat(400),
          'x',
          '\n',
          '😀'.repeat(300),
          'a'.repeat(2000),
        );
        const text = fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join(''));
        let made = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (texts) => {
            const id = `texts-${made++}`;
            for (const body of texts) void store.journal.append(id, { kind: 'k', key: 'k', body }, 'written');
            expect((await store.journal.read(id)).map((entry) => entry.body)).toEqual(texts);
          }),
          { numRuns: 50 },
        );
      });
    });

    describe('runs', () => {
      it('are replaced by their newer record', async () => {
        await store.runs.put(run('r1', { status: 'paused' }));
        await store.runs.put(run('r1', { status: 'completed' }));
        expect(await (await opened.again()).runs.get('r1')).toEqual(run('r1', { status: 'completed' }));
        expect(await opened.store.runs.get('r2')).toBeUndefined();
      });

      it('are listed newest first, by every condition', async () => {
        const all = [
          run('r1', { status: 'failed' }),
          run('r2', { sessionId: 's' }),
          run('r3', { parentRunId: 'r1', traceId: 'r1', depth: 1 }),
          run('r4', { status: 'paused' }),
        ];
        for (const each of all) await store.runs.put(each);
        const ids = async (filter: Parameters<Store['runs']['list']>[0]): Promise<string> =>
          (await store.runs.list(filter)).map((each) => each.id).join(' ');
        expect(await ids({})).toBe('r4 r3 r2 r1');
        expect(await ids({ status: ['failed', 'paused'] })).toBe('r4 r1');
        expect(await ids({ sessionId: 's' })).toBe('r2');
        expect(await ids({ parentRunId: 'r1' })).toBe('r3');
        expect(await ids({ traceId: 'r1' })).toBe('r3 r1');
        expect(await ids({ rootsOnly: true })).toBe('r4 r2 r1');
        expect(await ids({ since: '2026-01-01T00:00:03.000Z' })).toBe('r4 r3');
        expect(await ids({ text: 'WHAT is r2' })).toBe('r2');
        expect(await ids({ rootsOnly: true, limit: 2 })).toBe('r4 r2');
      });
    });

    describe('sessions', () => {
      it('are kept, listed and deleted', async () => {
        for (const each of [session('s1'), session('s2', { state: 'expired', expiresAt: '2026-01-05' })]) {
          await store.sessions.put(each);
        }
        await store.sessions.put(session('s1', { extensions: 2 }));
        const again = await opened.again();
        expect(await again.sessions.get('s1')).toEqual(session('s1', { extensions: 2 }));
        expect((await again.sessions.list()).map((each) => each.id)).toEqual(['s2', 's1']);
        expect((await again.sessions.list({ state: ['ready'] })).map((each) => each.id)).toEqual(['s1']);
        expect((await again.sessions.list({ expiredAt: '2026-01-10' })).map((each) => each.id)).toEqual(['s2']);
        await again.sessions.delete('s2');
        expect(await again.sessions.get('s2')).toBeUndefined();
      });
    });

    describe('blobs', () => {
      it.each([
        ['text', long('blob')],
        ['short text', 'ü'],
        ['text with lone surrogates', `\ud800${long('blob')}\udc00`],
        ['nothing', ''],
      ])('keep %s', async (_, text) => {
        const ref = await store.blobs.put(text, 'run');
        const again = await opened.again();
        expect(await again.blobs.text(ref)).toBe(text);
        expect((await again.blobs.bytes(ref)).length).toBe(ref.bytes);
      });

      it('keep bytes and files', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'fathom-blob-'));
        const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7919) % 251));
        writeFileSync(join(folder, 'a'), bytes);
        const ref = await store.blobs.putFile(join(folder, 'a'), 'run');
        expect(Buffer.compare(await store.blobs.bytes(ref), bytes)).toBe(0);
        const other = await store.blobs.put(bytes.subarray(1), 'run');
        await store.blobs.copyTo(other, join(folder, 'b'));
        expect(Buffer.compare(await readFile(join(folder, 'b')), bytes.subarray(1))).toBe(0);
        rmSync(folder, { recursive: true });
      });

      it('are deleted when their last owner gives them up', async () => {
        const one = await store.blobs.put(long('one'), 'run');
        const same = await store.blobs.put(long('one'), 'session');
        const other = await store.blobs.put(long('two'), 'session');
        await store.blobs.release('run', one);
        expect(await store.blobs.text(same)).toBe(long('one'));
        await store.blobs.release('session');
        await expect(store.blobs.text(same)).rejects.toMatchObject({ code: 'store-failure' });
        await expect(store.blobs.text(other)).rejects.toMatchObject({ code: 'store-failure' });
        expect(await store.blobs.text(await store.blobs.put(long('one'), 'run'))).toBe(long('one'));
      });
    });

    it('gives a lock to one at a time and names who has it', async () => {
      const first = await store.lock('session/1', 'the first');
      expect(first.ok).toBe(true);
      expect(await store.lock('session/1', 'the second')).toMatchObject({ ok: false, heldBy: 'the first' });
      expect((await store.lock('session/2', 'the second')).ok).toBe(true);
      if (first.ok) first.lock.release();
      expect((await store.lock('session/1', 'the second')).ok).toBe(true);
      // Released twice, it does not free the lock of another.
      if (first.ok) first.lock.release();
      expect(await store.lock('session/1', 'the third')).toMatchObject({ ok: false, heldBy: 'the second' });
    });

    it('reads a run that is called running as interrupted unless its lock is held', async () => {
      await store.runs.put(run('r1', { status: 'running' }));
      const statuses = async (): Promise<unknown> => [
        (await store.runs.get('r1'))?.status,
        (await store.runs.list({ status: 'running' })).length,
        (await store.runs.list({ status: 'interrupted' })).length,
      ];
      expect(await statuses()).toEqual(['interrupted', 0, 1]);
      const locked = await store.lock('run r1', 'the first');
      expect(await statuses()).toEqual(['running', 1, 0]);
      if (locked.ok) locked.lock.release();
      expect(await statuses()).toEqual(['interrupted', 0, 1]);
    });

    otherProcessConformance(() => opened);

    it('refuses everything once it is closed, and closes twice without harm', async () => {
      await store.flush();
      await store.close();
      await store.close();
      const append = async (): Promise<void> => store.events.append(event(1, ''), written);
      await expect(append()).rejects.toMatchObject({ code: 'store-failure' });
      await expect(store.runs.list()).rejects.toMatchObject({ code: 'store-failure' });
      await expect(store.blobs.put('x', 'run')).rejects.toMatchObject({ code: 'store-failure' });
    });
  });
}
