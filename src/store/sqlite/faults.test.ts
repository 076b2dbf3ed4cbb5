import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import { openJournal } from '../../journal/index.ts';
import type { CallAccount } from '../../model/account.ts';
import type { Model } from '../../model/port.ts';
import type { BlobRef } from '../blob-store.ts';
import type { Store } from '../port.ts';
import { sqliteStore } from './sqlite-store.ts';
import { machineFiles, type StoreFiles } from './store-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-faults-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const STEPS = 6;
/** Bytes between the lengths at which the log is cut; by default no multiple of its pages, so that cuts fall anywhere in them. */
const STRIDE = process.env.FATHOM_SOAK === undefined ? 5_003 : 2_048;
const model = { id: 'm' } as Model;
const account: CallAccount = {
  reserve: () => Promise.resolve({ settle: () => undefined, release: () => undefined }),
};
const signal = new AbortController().signal;
const text = (n: number): string => `context ${n} `.repeat(600);
const answer = (n: number): string => `answer ${n} `.repeat(100);

interface Acknowledged {
  /** Answers that were seen, by step. */
  readonly answers: string[];
  readonly blobs: BlobRef[];
  paid: number;
}

/** A short run: contexts as blobs, dependent steps, events between them. */
async function shortRun(store: Store, acknowledged: Acknowledged): Promise<void> {
  const { root } = await openJournal({ journalId: 'run', store, clock: systemClock });
  for (let n = 0; n < STEPS; n++) {
    if (n % 2 === 0) acknowledged.blobs[n / 2] = await store.blobs.put(text(n), 'run');
    acknowledged.answers[n] = await root.step(
      { kind: 'sub', turn: n, command: `t${n}.0`, request: acknowledged.answers[n - 1] },
      async (step) => {
        const reservation = await step.account(account).reserve({ model, inputTokens: 1, maxOutputTokens: 1 }, signal);
        acknowledged.paid++;
        reservation.settle({ usage: { inputTokens: 1, outputTokens: 1, estimated: false } });
        return answer(n);
      },
    );
    const base = { v: 1, runId: 'run', traceId: 'run', seq: n + 1, time: new Date(n).toISOString() } as const;
    const event = { ...base, type: 'turn.started', turn: n } as const;
    await store.events.append(event, { identity: undefined, durability: 'written' });
  }
}

/** The acknowledged steps are there, in order and without holes; and the run continues from them to its end. */
async function checkResume(at: string, acknowledged: Acknowledged): Promise<void> {
  const store = sqliteStore(at, { sync: false });
  const steps = (await store.journal.read('run')).filter((entry) => entry.kind === 'step');
  const recorded = steps.map((entry) => (entry.body as { readonly value: string }).value);
  expect(recorded).toEqual(Array.from({ length: recorded.length }, (_, n) => answer(n)));
  expect(recorded.length).toBeGreaterThanOrEqual(acknowledged.answers.length);
  const seqs = (await store.events.read('run')).map((event) => event.seq);
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1));
  for (const [n, blob] of acknowledged.blobs.entries()) expect(await store.blobs.text(blob)).toBe(text(2 * n));
  await store.events.truncate('run', 1);
  const resumed: Acknowledged = { answers: [], blobs: [], paid: 0 };
  await shortRun(store, resumed);
  expect(resumed.answers).toEqual(Array.from({ length: STEPS }, (_, n) => answer(n)));
  expect(resumed.paid).toBe(STEPS - recorded.length);
  await store.close();
}

type Fault = 'fails' | 'tears';

/** File operations of which the n-th goes wrong; after that the disk is as it is left. */
function faulty(n: number, fault: Fault): { readonly files: StoreFiles; readonly done: () => boolean } {
  let left = n;
  const strike = (): boolean => left-- === 0;
  const broken = (what: string): Promise<never> =>
    Promise.reject(Object.assign(new Error(`EIO: i/o error, ${what}`), { code: 'EIO' }));
  const files: StoreFiles = {
    sync: (handle) => (strike() ? broken('fdatasync') : machineFiles.sync(handle)),
    async write(path, chunks) {
      if (!strike()) return await machineFiles.write(path, chunks);
      if (fault === 'tears') writeFileSync(path, 'torn');
      return await broken('write');
    },
    async rename(from, to) {
      if (!strike()) return await machineFiles.rename(from, to);
      if (fault === 'tears') await machineFiles.rename(from, to);
      return await broken('rename');
    },
    remove: (path) => machineFiles.remove(path),
  };
  return { files, done: () => left >= 0 };
}

describe('storage faults', () => {
  it.each<Fault>(['fails', 'tears'])(
    'the n-th write, sync or rename %s: a clear error, and all acknowledged writes stay',
    async (fault) => {
      for (let n = 0; ; n++) {
        const at = join(folder, `${n}`);
        const { files, done } = faulty(n, fault);
        const store = sqliteStore(at, { files });
        const acknowledged: Acknowledged = { answers: [], blobs: [], paid: 0 };
        const running = await shortRun(store, acknowledged).catch((thrown: unknown) => thrown);
        const closing = await store.close().catch((thrown: unknown) => thrown);
        const error = running ?? closing;
        if (done()) {
          expect(error).toBeUndefined();
          expect(n).toBeGreaterThan(STEPS);
          return;
        }
        expect(RlmError.isInstance(error) && error.code).toBe('store-failure');
        expect(String(error)).toContain('EIO');
        await checkResume(at, acknowledged);
      }
    },
  );

  it('power is lost at any length of the log, or its end is garbage: what was synced is there, and the run continues', async () => {
    const at = join(folder, 'whole');
    /** Length of the log and the steps acknowledged when a sync had ended. */
    const synced: { readonly length: number; readonly acknowledged: Acknowledged }[] = [];
    const acknowledged: Acknowledged = { answers: [], blobs: [], paid: 0 };
    const log = join(at, 'store.sqlite-wal');
    const files: StoreFiles = {
      ...machineFiles,
      async sync(handle) {
        // The entries before the sync are in the log by now; later ones may be too.
        const { size } = statSync(log);
        await machineFiles.sync(handle);
        synced.push({
          length: size,
          acknowledged: { ...acknowledged, answers: [...acknowledged.answers], blobs: [...acknowledged.blobs] },
        });
      },
    };
    const store = sqliteStore(at, { files });
    await shortRun(store, acknowledged);
    const end = statSync(log).size;
    const whole = join(folder, 'copy');
    cpSync(at, whole, { recursive: true });
    await store.close();
    for (let length = 0; length <= end; length += STRIDE) {
      for (const garbage of [false, true]) {
        const cut = join(folder, 'cut');
        mkdirSync(cut);
        cpSync(join(whole, 'blobs'), join(cut, 'blobs'), { recursive: true });
        copyFileSync(join(whole, 'store.sqlite'), join(cut, 'store.sqlite'));
        copyFileSync(join(whole, 'store.sqlite-wal'), join(cut, 'store.sqlite-wal'));
        truncateSync(join(cut, 'store.sqlite-wal'), length);
        if (garbage) writeFileSync(join(cut, 'store.sqlite-wal'), Buffer.alloc(5000, length % 251), { flag: 'a' });
        const known = synced.filter((each) => each.length <= length).at(-1)?.acknowledged;
        await checkResume(cut, known ?? { answers: [], blobs: [], paid: 0 });
        rmSync(cut, { recursive: true });
      }
    }
  });

  it('a damaged value is reported, not returned', async () => {
    const store = sqliteStore(folder);
    const ref = await store.blobs.put(text(1), 'run');
    const path = join(folder, 'blobs', ref.id.slice(0, 2), `${ref.id}.zst`);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(path, bytes);
    await expect(store.blobs.text(ref)).rejects.toMatchObject({ code: 'store-failure' });
    await store.close();
  });

  it.runIf(process.platform === 'linux').each([150, 200, 400, 1000])(
    'the system writes no more than %d KiB to a file: a clear error, and all acknowledged writes stay',
    (limit) => {
      const at = join(folder, 'limited');
      const module = new URL('./sqlite-store.ts', import.meta.url).href;
      const code = `import { sqliteStore } from ${JSON.stringify(module)};
        const store = sqliteStore(${JSON.stringify(at)});
        let acknowledged = 0;
        for (let n = 0; n < 2000; n++) {
          const entry = { kind: 'k', key: String(n), body: ('x' + n).repeat(300) };
          try { await store.journal.append('j', entry, 'synced'); acknowledged++; } catch (error) { console.log(acknowledged, error.code); break; }
        }
        await store.close();`;
      // Ignored, the signal becomes an error of the write.
      const script = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" --input-type=module --eval "$1"`;
      const { stdout } = spawnSync('bash', ['-c', script, process.execPath, code], { encoding: 'utf8' });
      const [acknowledged, errorCode] = stdout.trim().split(' ');
      expect(errorCode).toBe('store-failure');
      return checkPrefix(at, Number(acknowledged));
    },
  );
});

/** The acknowledged entries are there, and perhaps the next ones, without holes. */
async function checkPrefix(at: string, acknowledged: number): Promise<void> {
  const store = sqliteStore(at);
  const keys = (await store.journal.read('j')).map((entry) => entry.key);
  expect(keys).toEqual(keys.map((_, n) => String(n)));
  expect(keys.length).toBeGreaterThanOrEqual(acknowledged);
  await store.close();
}
