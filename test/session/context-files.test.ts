/** Files of contexts in the REPL: in the first message, for code and bash, after a rollback, a resume and a new opening. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createRlm, fromFile, fromFiles, sqliteStore } from '../../src/index.ts';
import { type ScriptedReply, scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from './on-each-backend.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-files-'));
  mkdirSync(join(folder, 'project/src'), { recursive: true });
  writeFileSync(join(folder, 'project/src/a.ts'), 'const needle = 1;\n');
  writeFileSync(join(folder, 'project/readme.md'), '# Needle\n');
  writeFileSync(join(folder, 'later.txt'), 'later\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bash = (command: string): string => `\`\`\`bash\n${command}\n\`\`\``;

await onEachBackend(({ name, repl }) => {
  afterAll(() => repl.close());
  const project = () => fromFiles('.', { cwd: join(folder, 'project') });

  it('the first message says where they are; code and bash find them there and cannot write', async () => {
    const replies: readonly ScriptedReply[] = [
      bash('grep -rl needle context'),
      cell(
        'try: open("context/src/a.ts", "w")\nexcept OSError as e: print(type(e).__name__)',
        'print(open("context/readme.md").read())',
      ),
      'FINAL(done)',
    ];
    const root = scriptedModel(replies, { modelId: 'root' });
    const rlm = createRlm({ model: root, repl });
    const { text } = await rlm.completion({ query: 'Where is it?', context: project() });
    expect(text).toBe('done');
    const [first, , third] = root.requests.map(({ messages }) => JSON.stringify(messages.at(-1)));
    expect(first).toContain('The files are below `context/` under their paths, read-only, for `open()` and bash');
    expect(JSON.stringify(root.requests[1]?.messages.at(-1))).toContain('context/src/a.ts');
    expect(third).toMatch(/(PermissionError|OSError).*# Needle/);
    await rlm.close();
  });

  it('a file by itself is named with its path', async () => {
    const root = scriptedModel(
      [cell('FINAL(open("context/abs" + PATH).read())'.replace('PATH', JSON.stringify(join(folder, 'later.txt'))))],
      {
        modelId: 'root',
      },
    );
    const rlm = createRlm({ model: root, repl });
    const { text } = await rlm.completion({ query: 'Q', context: fromFile(join(folder, 'later.txt')) });
    expect(text).toBe('later\n');
    expect(JSON.stringify(root.requests[0]?.messages.at(-1))).toContain(
      `The file is \`context/abs${join(folder, 'later.txt')}\`, read-only`,
    );
    await rlm.close();
  });

  it('a session keeps those of its contexts, adds those of later ones, and has them again when it is opened again', async () => {
    const path = join(folder, `store-${name}`);
    const rlmOver = (replies: readonly ScriptedReply[]) => {
      const store = sqliteStore(path);
      const rlm = createRlm({ model: scriptedModel(replies, { modelId: 'root' }), repl, store });
      return { rlm, close: async () => [await rlm.close(), await store.close()] };
    };
    const first = rlmOver([cell(`FINAL(sorted(__import__("os").listdir("context")))`)]);
    const session = await first.rlm.createSession({ context: project() });
    const read = 'open("context/src/a.ts").read()';
    expect((await session.execute(read)).value).toBe(String.raw`'const needle = 1;\n'`);
    await session.snapshot('s');
    const { text } = await session.completion({ query: 'Q', context: fromFile(join(folder, 'later.txt')) });
    expect(JSON.parse(text)).toEqual(['abs', 'readme.md', 'src']);
    await session.rollback('s');
    const both = `${read}, open("context/abs${join(folder, 'later.txt')}").read()`;
    expect((await session.execute(both)).value).toBe(String.raw`('const needle = 1;\n', 'later\n')`);
    await first.close();

    const next = rlmOver([]);
    const again = await next.rlm.openSession(session.id, { context: project() });
    expect((await again.execute(read)).value).toBe(String.raw`'const needle = 1;\n'`);
    expect((await again.bash('cat context/readme.md')).stdout).toBe('# Needle\n');
    await next.close();
  });
});
