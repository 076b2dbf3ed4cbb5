/** Shell idioms of models in the embedded REPL's bash: they work as in a real one, or the message says what to do here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { systemPrompt } from '../../prompt/index.ts';
import type { Repl } from '../port.ts';
import { openTestRepl, testBackend } from './testing.ts';

const FILES = String.raw`
printf 'foo one\ntwo\nthree\n' > a; printf 'foo one\n2\nthree\nfour\n' > b; printf 'two' > end; printf 'foo 12\n' > x.txt
printf 'b,2\na,1\n' > rows.csv; mkdir -p d1/sub d2/sub; printf '1\n' > d1/p; printf '2\n' > d2/p; printf '3\n' > d2/only
printf 'deep\n' > d1/sub/x1; cp d1/sub/x1 d2/sub/x1; mkdir far; printf 'x\n' > far/x2; ln -s ../far d1/link; ln -s .. far/up
printf '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n' > long; printf '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\nend\n' > longer; : > none
mkdir -p d3 near; printf 'y\n' > near/y; ln -s ../near d3/near; ln -s ../none d3/none; ln -s nowhere d3/lost
`;

/** Each gives the same output and exit code as the machine's own bash. */
const SAME = String.raw`
find -L . -name 'x*' | sort
find -L d3 -type f | sort
find -H . -type f -name 'x*' | sort
find . -follow -name x2 | sort
find . -xdev -type f -name '*.txt'
find . -type f,d -name 'd*' | sort
find . -wholename './d1/*' -type f | sort
find . -name a -print -quit
find . -type f -name 'x*' -print0 | xargs -0 -n1 echo | sort
diff a b
diff b a
diff a a
diff a none
diff none a
diff a end
diff end a
diff long longer
diff -q a b
diff -i a b
diff -U0 a b | tail -n +3
diff -r d1/sub d2/sub
diff -rq d1 d2
diff -r d1/p d2
diff <(sort a) <(sort b)
cat a | diff - b
diff a missing-file 2>/dev/null
comm -12 <(sort a) <(sort b)
grep -f a b
grep --color=never -n foo a
awk -F, '{s+=$2} END {print s}' rows.csv
sort -t, -k2 -n rows.csv
seq 1 3 | paste -sd+
printf 'a\nb\n' | xargs -n1 echo x
printf 'a b\nc\n' | xargs -I{} echo '[{}]'
printf 'a\nb\n' | xargs -P2 -L1 echo y
head -n -1 a
head -n -2 long
head -c 3 a
sed -n '2,3p' a
cut -d, -f1 rows.csv | tr a-z A-Z
while read -r line; do echo "[$line]"; done < a
`
  .trim()
  .split('\n');

/** Each says what to do in this REPL, also where its errors go to standard output. */
const INSTEAD: readonly (readonly [command: string, words: string])[] = [
  ["python3 -c 'print(1)'", 'block tagged `repl`'],
  ["python3 -c 'print(1)' 2>&1 | head -5", 'block tagged `repl`'],
  ["python - <<'X'\nprint(1)\nX", 'block tagged `repl`'],
  ['tar czf t.tgz a b', 'tarfile'],
  ["sqlite3 x.db 'select 1'", '`sqlite3`'],
  ['unzip -l x.zip', 'zipfile'],
  ['pip install pandas', 'no network'],
  ['curl -s http://example.com', 'no network'],
  ["echo '1+2' | bc", '$(('],
  ['xxd a', 'od'],
  ['git log', 'no network'],
  ['some-unknown-command', 'block tagged `repl`'],
  ['find . -samefile a', 'block tagged `repl`'],
  ['diff -y a b', 'block tagged `repl`'],
  ["grep -oP '(?<=f)o' a", 'block tagged `repl`'],
];

const backend = testBackend();
const folder = mkdtempSync(join(tmpdir(), 'fathom-idioms-'));
let repl: Repl;

beforeAll(async () => {
  repl = await openTestRepl(backend);
  await repl.execute({ code: 'import os\nos.makedirs("/tmp/idioms")\nos.chdir("/tmp/idioms")', handle: 't1.0' });
  expect(await here(FILES)).toMatchObject({ exitCode: 0, stderr: '' });
  execFileSync('bash', ['-c', FILES], { cwd: folder });
}, 120_000);

afterAll(async () => {
  await repl.close();
  await backend.close();
  rmSync(folder, { recursive: true });
});

async function here(command: string): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await repl.bash({ command, handle: 't1.1' });
  return { exitCode: exitCode ?? -1, stdout: stdout.text, stderr: stderr.text };
}

describe('as in a real bash', () => {
  test.each(SAME)('%s', async (command) => {
    const { status, stdout } = spawnSync('bash', ['-c', command], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    expect(await here(command)).toMatchObject({ exitCode: status, stdout });
  });
});

test('find -L ends where a link leads to a folder above it', async () => {
  expect(await here('find -L d1 -type f | sort')).toMatchObject({
    exitCode: 0,
    stdout: 'd1/link/x2\nd1/p\nd1/sub/x1\n',
  });
});

describe('the message says what to do instead', () => {
  test.each(INSTEAD)('%s', async (command, words) => {
    const { stdout, stderr } = await here(command);
    expect(stdout + stderr).toContain(words);
    expect(stdout + stderr).not.toMatch(/browser|Node\.js bundle/);
  });
});

test('the system prompt names tools that are there and tools that are missing', async () => {
  const prompt = systemPrompt({
    ...{ info: repl.info, limits: DEFAULT_LIMITS, depth: 0, contextNames: [], tools: [], values: [] },
    ...{ outputSchema: undefined, requireInspection: true, subModelTokens: undefined, readsImages: true },
    traits: { items: true, text: true, large: true, images: true, tables: true },
  });
  const [, there = '', missing = ''] = /text tools \(([^)]*)\) and without ([^:]*):/.exec(prompt) ?? [];
  for (const name of there.split(', '))
    expect(await here(`echo '{}' | command -v ${name}`)).toMatchObject({ exitCode: 0 });
  const names = missing.split(/, | and /);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect((await here(name)).stderr).toContain('not available in this emulated bash');
});
