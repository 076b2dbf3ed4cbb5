/** Rules of policies over commands as text, and 40 evasions of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type PolicyOptions, policy } from '../../src/policy/index.ts';
import { EVASIONS } from './policy-evasions.ts';

const RULES: PolicyOptions = {
  python: { imports: { deny: ['subprocess', 'socket'] }, calls: { deny: ['os.system', 'os.popen', 'shutil.rmtree'] } },
  bash: { commands: { deny: ['rm', 'dd'] } },
};

const decisionOf = async (rules: PolicyOptions, kind: 'python' | 'bash', source: string): Promise<string> =>
  (await policy(rules).check({ kind, source })).decision;

describe('40 evasions', () => {
  const docs = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
  const refused = EVASIONS.filter(({ invisible }) => invisible !== true);

  it('are forty, of which at least 25 are refused, and the rest is listed in the docs', () => {
    expect(EVASIONS).toHaveLength(40);
    expect(refused.length).toBeGreaterThanOrEqual(25);
    for (const { name } of EVASIONS.filter(({ invisible }) => invisible === true)) expect(docs).toContain(name);
    expect(docs).toContain(`${refused.length} of 40`);
  });

  it.each(refused)('$kind: $name is refused', async ({ kind, source }) => {
    expect(await decisionOf(RULES, kind, source)).toBe('refuse');
  });

  it.each(EVASIONS.filter(({ invisible }) => invisible === true))(
    '$kind: $name is invisible',
    async ({ kind, source }) => {
      expect(await decisionOf(RULES, kind, source)).toBe('allow');
    },
  );
});

describe('honest commands', () => {
  it.each([
    [
      'python',
      'import re, json\nhits = [m.group() for m in re.finditer(r"a+", context)]\nprint(len(hits), sorted(set(hits))[:10])',
    ],
    ['python', 'import os\nprint(os.getcwd(), os.path.join("a", "b"), getattr(row, "name", None))'],
    [
      'python',
      'def system(x):\n    return x\nprint(system("id"))\nclass A:\n    run = 1\nmatch kind:\n    case 1: pass',
    ],
    ['python', 'rm = {"rm": 1}\nprint("os.system and rm are words here")'],
    ['python', 'r = llm_query_batched([f"{x!r:>10}" for x in rows])\nFINAL(max(r, key=len))'],
    ['bash', 'grep -rn "rm -rf" . | sort | head -n 5 && wc -l *.txt'],
    ['bash', 'for f in *.txt; do echo "$f"; done; x=$(wc -l < a.txt)'],
  ] as const)('%s: %j runs', async (kind, source) => {
    expect(await decisionOf(RULES, kind, source)).toBe('allow');
  });
});

describe('rules', () => {
  it.each<[string, PolicyOptions, 'python' | 'bash', string, string]>([
    [
      'a list of allowed modules',
      { python: { imports: { allow: ['re', 'os.path'] } } },
      'python',
      'import json',
      'refuse',
    ],
    [
      'a list of allowed modules',
      { python: { imports: { allow: ['re', 'os.path'] } } },
      'python',
      'import re',
      'allow',
    ],
    [
      'names of an allowed module',
      { python: { imports: { allow: ['re'] } } },
      'python',
      'from re import findall',
      'allow',
    ],
    [
      'allowed calls of modules',
      { python: { calls: { allow: ['re.findall'] } } },
      'python',
      'import re\nre.findall("a", x); f(1)',
      'allow',
    ],
    [
      'allowed calls of modules',
      { python: { calls: { allow: ['re.findall'] } } },
      'python',
      'import re\nre.compile("a")',
      'refuse',
    ],
    ['asking', { python: { calls: { ask: ['open'] } } }, 'python', 'open("a")', 'ask'],
    [
      'denying before asking',
      { python: { calls: { ask: ['open'], deny: ['open'] } } },
      'python',
      'open("a")',
      'refuse',
    ],
    ['an attribute', { python: { attributes: { deny: ['unlink'] } } }, 'python', 'p.unlink()', 'refuse'],
    [
      'a method of a class',
      { python: { calls: { deny: ['pathlib.Path.unlink'] } } },
      'python',
      'from pathlib import Path\nPath("a").unlink()',
      'refuse',
    ],
    [
      'dynamic code where it is allowed',
      { python: { calls: { deny: ['open'] }, dynamic: 'allow' } },
      'python',
      'eval("1")',
      'allow',
    ],
    ['dynamic code where it is asked', { python: { dynamic: 'ask' } }, 'python', 'eval("1")', 'ask'],
    [
      'shell in Python',
      { bash: { commands: { deny: ['rm'] } } },
      'python',
      'import os\nos.system("ls; rm x")',
      'refuse',
    ],
    [
      'shell in Python as a list',
      { bash: { commands: { deny: ['rm'] } } },
      'python',
      'import subprocess\nsubprocess.run(["rm", "x"])',
      'refuse',
    ],
    [
      'computed shell in Python',
      { bash: { commands: { deny: ['rm'] } } },
      'python',
      'import os\nos.system(x)',
      'refuse',
    ],
    ['Python in shell', { python: { calls: { deny: ['open'] } } }, 'bash', `python3 -c 'open("a")'`, 'refuse'],
    ['allowed commands', { bash: { commands: { allow: ['ls', 'grep'] } } }, 'bash', 'ls | grep a', 'allow'],
    ['allowed commands', { bash: { commands: { allow: ['ls', 'grep'] } } }, 'bash', 'ls | cut -c1', 'refuse'],
    [
      'text that is not Python',
      { python: { calls: { deny: ['os.system'] } } },
      'python',
      'def f(:\n  os.system("x")',
      'refuse',
    ],
    ['a script that is not one', { bash: { commands: { deny: ['rm'] } } }, 'bash', 'echo "$(', 'refuse'],
    ['names of Object', { bash: { commands: { deny: ['rm'] } } }, 'bash', 'constructor; toString x', 'allow'],
  ])('%s: %j', async (_, rules, kind, source, decision) => {
    expect(await decisionOf(rules, kind, source)).toBe(decision);
  });

  it('say what is allowed', async () => {
    const allow = await policy({ bash: { commands: { allow: ['ls', 'grep'] } } }).check({
      kind: 'bash',
      source: 'rm x',
    });
    expect(allow).toMatchObject({
      rule: 'bash.commands allow',
      message: 'the command rm is not allowed; allowed are ls, grep',
    });
    const deny = await policy(RULES).check({ kind: 'python', source: 'import os\nos.system("x")' });
    expect(deny).toMatchObject({
      message: 'using os.system is not allowed; everything but os.system, os.popen, shutil.rmtree is allowed',
    });
  });

  it.each<[string, PolicyOptions, RegExp]>([
    ['nothing', {}, /needs python, bash or vocabulary/],
    ['a strict vocabulary without terms', { vocabulary: { strictness: 'strict' } }, /needs terms/],
    ['an unknown strictness', { vocabulary: { terms: [], strictness: 'hard' as 'strict' } }, /has to be permissive/],
    ['a list that is not of names', { bash: { commands: { deny: ['rm -rf'] } } }, /have to hold names/],
    ['maxRefusals of 0', { ...RULES, maxRefusals: 0 }, /from 1/],
  ])('%s is refused at once', (_, options, message) => {
    expect(() => policy(options)).toThrow(message);
  });
});

describe('a vocabulary', () => {
  const terms = [
    { term: 'invoice', synonyms: ['bill'], related: ['customer'] },
    { term: 'customer', related: ['address'] },
    { term: 'address' },
    { term: 'salary' },
  ];

  it.each([
    ['normal', 'print(sum(invoice.amount for invoice in bills))', 'allow'],
    ['normal', 'print(weather.today)', 'refuse'],
    [
      'normal',
      `invoice = ${Array.from({ length: 12 }, (_, index) => `other${'abcdefghijkl'[index]}`).join(' + ')}`,
      'refuse',
    ],
    ['permissive', 'print(weather.today)', 'allow'],
    ['strict', 'invoices = [customer_invoice for customer_address in addresses]', 'allow'],
    ['strict', 'invoice_salary = invoice + salary', 'refuse'],
    ['strict', 'customer + wind + rain + sun', 'refuse'],
    ['strict', 'print(len(context))', 'allow'],
  ] as const)('%s: %j → %s', async (strictness, source, decision) => {
    expect(await decisionOf({ vocabulary: { terms, strictness } }, 'python', source)).toBe(decision);
  });

  it('that is permissive says what it would have refused', async () => {
    const decision = await policy({ vocabulary: { terms, strictness: 'permissive' } }).check({
      kind: 'python',
      source: 'weather',
    });
    expect(decision).toMatchObject({
      decision: 'allow',
      logged: { rule: 'vocabulary permissive', message: expect.stringContaining('no term') },
    });
  });
});
