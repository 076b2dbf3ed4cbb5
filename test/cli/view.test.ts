/** `fathom view` as a process: its address, its end, files, and runs of other processes that it ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { actOn } from '../../src/cli/view/act.ts';
import { buildPage } from '../../tools/build-page.ts';
import { cell, fathom, folder, hanging, kept, script, viewing } from './runs-harness.ts';

beforeAll(() => buildPage(join(import.meta.dirname, '..', '..', 'viewer', 'dist')));

/** Opens the session of an address, and reads as the page does. */
async function read(address: string, path: string): Promise<unknown> {
  const [, base = '', token = ''] = /^(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/.exec(address) ?? [];
  const headers = { 'content-type': 'application/json' };
  const opened = await fetch(`${base}/page/session`, { method: 'POST', headers, body: JSON.stringify({ token }) });
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  return await (await fetch(`${base}${path}`, { headers: { cookie } })).json();
}

describe('fathom view', () => {
  test('prints an address that opens the newest run, and ends with 0', async () => {
    await fathom(['ask', 'What is it?', '-m', script('r.json', [cell('FINAL("it")')])]);
    const [run] = await kept();
    const stderr = await viewing(['last'], async (address) => {
      expect(address).toMatch(new RegExp(`/run/${run?.id}/turns$`));
      expect(await read(address, `/v1/runs/${run?.id}/overview`)).toMatchObject({ answer: { text: 'it' } });
    });
    expect(stderr).toContain('The address works once');
  });

  test('opens a log of the reference implementation', async () => {
    const lines = [
      { type: 'metadata', root_model: 'gpt-5', timestamp: '2026-01-02T03:04:05Z' },
      {
        type: 'iteration',
        prompt: [{ role: 'user', content: 'Why?' }],
        response: 'r',
        code_blocks: [],
        final_answer: 'so',
      },
    ];
    writeFileSync(join(folder, 'log.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    await viewing(['log.jsonl'], async (address) => {
      expect(await read(address, '/v1/runs/log/overview')).toMatchObject({
        ...{ origin: 'reference', query: { text: 'Why?' }, answer: { text: 'so' } },
      });
    });
  });
});

describe('a run of another process', () => {
  const hangs = (): readonly string[] => [
    'ask',
    'Q',
    '-m',
    script('root.json', [cell('x = 1'), hanging('never'), 'FINAL(8)']),
  ];

  test.each(['finish', 'cancel'] as const)('is asked to %s', async (action) => {
    let asked: Promise<void> | undefined;
    const outcome = await fathom(hangs(), {
      onStderr: (stderr) => {
        if (asked !== undefined || !stderr.includes('turn 1/30 done')) return;
        asked = kept().then(([run]) =>
          actOn(action, run?.id ?? '', { folder: join(folder, '.fathom'), note: () => undefined }),
        );
      },
    });
    await asked;
    const [run] = await kept();
    expect([run?.stop, outcome.signal]).toEqual([action === 'finish' ? 'finish-requested' : 'cancelled', null]);
  });

  test('that has ended is left alone', async () => {
    await fathom(['ask', 'Q', '-m', script('r.json', [cell('FINAL(1)')])]);
    const [run] = await kept();
    const act = actOn('finish', run?.id ?? '', { folder: join(folder, '.fathom'), note: () => undefined });
    await expect(act).rejects.toMatchObject({ code: 'invalid-option' });
  });
});
