/** The examples, run with scripted models: they compile, they run, and they do what their first lines say. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { watched } from '../../examples/events.ts';
import { undocumented } from '../../examples/files.ts';
import { eachFile } from '../../examples/map.ts';
import { quickstart } from '../../examples/quickstart.ts';
import { orderReport } from '../../examples/tools.ts';
import { typedAnswer } from '../../examples/typed-answer.ts';
import { scriptedModel } from '../../src/test.ts';

const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test('quickstart: a question about a file', async () => {
  const model = scriptedModel([
    cell('at = context.find("engaged")\nprint(context[at - 200:at])'),
    cell('found = f"{len(context)} characters, first at {at}"'),
    'FINAL_VAR(found)',
  ]);
  expect(await quickstart(model, path('demo/novels/emma.txt'))).toMatch(/^883028 characters, first at \d+$/);
});

test('typed answer: what does not fit is repaired', async () => {
  const model = scriptedModel([
    cell('print(context[0])'),
    cell('FINAL({"total": "160.5", "unpaid": ["A-2"]})'),
    cell('FINAL({"total": sum(i["amount"] for i in context if i["id"] != "A-2"), "unpaid": ["A-2"]})'),
  ]);
  expect(await typedAnswer(model)).toEqual({ total: 160.5, unpaid: ['A-2'] });
  expect(model.requests.at(-1)?.prompt).toContain('total');
});

test('tools: called by position and by keyword, and values are there', async () => {
  const model = scriptedModel([
    cell(
      "FINAL(f\"{today()}: {stock_of('lamp')} lamps, {stock_of(article='chair')} chairs, {len(warehouses)} warehouses\")",
    ),
  ]);
  expect(await orderReport(model)).toBe('2026-11-21: 3 lamps, 12 chairs, 2 warehouses');
});

test('files: two named lists of documents', async () => {
  const subModel = scriptedModel(({ prompt }) => `read ${prompt.length}`);
  const model = scriptedModel([
    cell('print(len(code), len(docs), sorted(context))'),
    cell(
      'FINAL(llm_query(code[0].text[:100]) + " of " + str([d.path.rsplit("/", 1)[1] for d in docs if "cli" in d.path]))',
    ),
  ]);
  const text = await undocumented({ model, subModel }, path('examples'), path('docs'));
  expect(text).toBe("read 100 of ['cli.md']");
  expect(subModel.requests).toHaveLength(1);
});

test('events: a line for each reply, sub-call and end', async () => {
  const model = scriptedModel(({ prompt }) =>
    prompt === 'who?' ? 'Mrs. Weston' : `I ask.\n${cell('FINAL(llm_query("who?"))')}`,
  );
  expect(await watched(model, path('demo/novels/emma.txt'))).toEqual([
    'turn 1: I ask.',
    '  sub-call: ok',
    'converged: Mrs. Weston',
  ]);
});

test('map: an answer for each file, and a failure in its place', async () => {
  const model = scriptedModel(() => cell('FINAL(len(context))'));
  const files = ['demo/novels/emma.txt', 'demo/novels/nowhere.txt', 'demo/novels/persuasion.txt'].map(path);
  const [emma, nowhere, persuasion] = await eachFile(model, files);
  expect(emma).toBe('883028');
  expect(nowhere).toContain('failed: ');
  expect(Number(persuasion)).toBeGreaterThan(400_000);
});
