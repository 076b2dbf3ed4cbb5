import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../store/index.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { limitsOf, modeOf } from './ask-options.ts';
import { configPath, readConfig } from './config.ts';
import { runIdOf } from './ids.ts';
import { namedModel, namedSubModels, serverFacts, settingsOf } from './models.ts';
import { takeQuestion } from './question.ts';
import { header, limit, price } from './values.ts';

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'fathom-options-'));
  mkdirSync(join(home, 'fathom'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('--price', () => {
  it.each([
    ['0.25,2', undefined, { input: 0.25, output: 2 }],
    ['1,2,0.1', undefined, { input: 1, output: 2, cached: 0.1 }],
    ['1,2,0.1,1.25', undefined, { input: 1, output: 2, cached: 0.1, cacheWrite: 1.25 }],
    ['openai/gpt-5=1,2', 'openai/gpt-5', { input: 1, output: 2 }],
    ['http://h:1/v1?a=b#m=0,0', 'http://h:1/v1?a=b#m', { input: 0, output: 0 }],
  ])('%s', (text, model, value) => {
    expect(price(text)).toEqual({ model, value });
  });

  it.each(['', '1', '1,2,3,4,5', '1,-2', 'a,b', '1;2', 'm=1'])('is not %j', (text) => {
    expect(() => price(text)).toThrow('IN,OUT');
  });

  it('without a model is the root model’s, by its id', () => {
    const facts = serverFacts(
      'http://127.0.0.1:9/v1#m',
      { price: [price('1,2')] },
      { prices: { x: { input: 3, output: 4 } } },
    );
    expect(facts.prices).toEqual({ 'openai-compatible/m': { input: 1, output: 2 }, x: { input: 3, output: 4 } });
  });
});

describe('--header', () => {
  it.each([
    ['X-Team: search', undefined, { 'X-Team': 'search' }],
    ['Authorization:Bearer a=b:c', undefined, { Authorization: 'Bearer a=b:c' }],
    ['openai/gpt-5=X-A: 1', 'openai/gpt-5', { 'X-A': '1' }],
    ['http://h:1/v1#m=X-A: 1', 'http://h:1/v1#m', { 'X-A': '1' }],
    ['X-Route: a/b=c', undefined, { 'X-Route': 'a/b=c' }],
  ])('%s', (text, model, value) => {
    expect(header(text)).toEqual({ model, value });
  });

  it.each(['', 'X-Team', ': secret', 'X Team: secret', 'Host: secret', 'X-A: secret\r\nX-B: 1'])(
    'is not %j',
    (text) => {
      expect(() => header(text)).toThrow('Name: value');
      expect(() => header(text)).not.toThrow('secret');
    },
  );

  it('without a model goes to the origin of the root model', () => {
    const given = [header('X-A: 1'), header('X-B: 2'), header('openai/gpt-5=X-C: 3')];
    expect(serverFacts('http://127.0.0.1:9/v1#m', { header: given }, {}).headers).toEqual({
      'http://127.0.0.1:9': { 'X-A': '1', 'X-B': '2' },
      'openai/gpt-5': { 'X-C': '3' },
    });
  });
});

describe('limits', () => {
  it.each([
    ['maxEmptyTurns=5', { maxEmptyTurns: 5 }],
    ['max-empty-turns=5', { maxEmptyTurns: 5 }],
    ['maxCostUsd=0.5', { maxCostUsd: 0.5 }],
    ['maxTokens=none', { maxTokens: Number.POSITIVE_INFINITY }],
  ])('--limit %s', (text, value) => {
    expect(limit(text)).toEqual(value);
  });

  it.each([
    ['maxTurn=5', 'Did you mean maxTurns?'],
    ['callTimeoutMS=5', 'Did you mean callTimeoutMs?'],
    ['maxTurns', 'name=value'],
    ['maxTurns=many', 'number'],
  ])('%s is refused: %s', (text, says) => {
    expect(() => limit(text)).toThrow(says);
  });

  it('named options win over --limit, and that over the config file', () => {
    const options = { maxTurns: 3, callTimeout: 1.5, limit: [{ maxTurns: 4, maxRepairs: 1 }] };
    expect(limitsOf(options, { limits: { maxRepairs: 2, maxDepth: 0 } })).toEqual({
      maxTurns: 3,
      callTimeoutMs: 1_500,
      maxRepairs: 1,
      maxDepth: 0,
    });
  });

  it.each([
    ['Raise maxDurationMs to allow more.', 'Raise --timeout to allow more.'],
    ['30 turns are used (maxTurns).', '30 turns are used (--max-turns).'],
    ['3 replies in a row (maxEmptyTurns)', '3 replies in a row (--limit maxEmptyTurns)'],
    ['The limit maxTurns = 0 is not valid', 'The option --max-turns = 0 is not valid'],
    ["accept less by isolation: 'process'.", 'accept less by --isolation process.'],
    ["The variable 'maxTurns' is not there", "The variable 'maxTurns' is not there"],
    ['myMaxTurns and maxTurnsX', 'myMaxTurns and maxTurnsX'],
  ])('%s', (message, said) => {
    expect(inOptionWords(message)).toBe(said);
  });
});

describe('the question', () => {
  const file = (): string => join(home, 'a file.txt');

  it('may come before or after -f and --sub-model', () => {
    writeFileSync(file(), '');
    expect(takeQuestion('Who?', { file: ['a.txt'] })).toEqual({ question: 'Who?', options: { file: ['a.txt'] } });
    expect(takeQuestion(undefined, { file: ['a.txt', 'Who wrote it?'] })).toEqual({
      question: 'Who wrote it?',
      options: { file: ['a.txt'] },
    });
    expect(takeQuestion(undefined, { file: ['a.txt'], subModel: ['ollama/a', 'Who wrote it?'] })).toEqual({
      question: 'Who wrote it?',
      options: { file: ['a.txt'], subModel: ['ollama/a'] },
    });
    expect(takeQuestion(undefined, { file: ['Who wrote it?'] })).toEqual({ question: 'Who wrote it?', options: {} });
  });

  it('is missing where the last value is a file, or holds no blank', () => {
    for (const values of [['a.txt', file()], ['a.txt', 'Why?'], []]) {
      expect(() => takeQuestion(undefined, { file: values })).toThrow('The question is missing');
    }
  });
});

describe('the config file', () => {
  const read = (content: string) => {
    writeFileSync(join(home, 'fathom', 'config.json'), content);
    return readConfig({ XDG_CONFIG_HOME: home });
  };

  it('sets what neither an option nor a variable sets', () => {
    const config = read(
      '{ "model": "ollama/a", "subModel": ["ollama/b"], "temperature": 0.5, "limits": { "maxTurns": 9 } }',
    );
    expect(namedModel(undefined, {}, config)).toBe('ollama/a');
    expect(namedModel(undefined, { FATHOM_MODEL: 'ollama/env' }, config)).toBe('ollama/env');
    expect(namedModel('ollama/option', { FATHOM_MODEL: 'ollama/env' }, config)).toBe('ollama/option');
    expect(namedSubModels(undefined, {}, config)).toEqual(['ollama/b']);
    expect(namedSubModels(undefined, { FATHOM_SUB_MODEL: 'ollama/x ollama/y' }, config)).toEqual([
      'ollama/x',
      'ollama/y',
    ]);
    expect(modeOf({}, read('{ "mode": "auto" }'))).toEqual({ mode: 'auto' });
    expect(modeOf({ mode: 'always' }, { mode: 'auto' })).toEqual({ mode: 'always' });
    expect(settingsOf({}, config)).toEqual({ temperature: 0.5 });
    expect(settingsOf({ temperature: 0, subTemperature: 1 }, config)).toEqual({
      temperature: 0,
      sub: { temperature: 1 },
    });
  });

  it.each([
    ['{ "modle": "x" }', 'did you mean "model"'],
    ['{ "apiKey": "sk-1" }', 'secrets are not kept there'],
    ['{ "openaiToken": "sk-1" }', 'secrets are not kept there'],
    ['{ "model": 5 }', '"model" has to be a text'],
    ['{ "limits": { "maxTurn": 5 } }', 'maxTurn'],
    ['{ "reasoningEffort": "huge" }', 'one of none, minimal'],
    ['{ "prices": { "m": { "input": 1 } } }', '"prices" has to be'],
    ['{ "mode": "sometimes" }', '"mode" has to be one of auto, always, direct'],
    ['[]', 'one JSON object'],
    ['{', 'is not JSON'],
  ])('%s is refused', (content, says) => {
    expect(() => read(content)).toThrow(says);
    expect(() => read(content)).not.toThrow('sk-1');
  });

  it('is never that of the working directory', () => {
    expect(configPath({ XDG_CONFIG_HOME: '.', HOME: '/home/u' })).toBe('/home/u/.config/fathom/config.json');
    expect(configPath({ XDG_CONFIG_HOME: '', HOME: '/home/u' })).toBe('/home/u/.config/fathom/config.json');
    expect(configPath({ XDG_CONFIG_HOME: 'relative/dir', HOME: '/home/u' })).toBe('/home/u/.config/fathom/config.json');
    expect(readConfig({ XDG_CONFIG_HOME: join(home, 'none') })).toEqual({});
  });
});

describe('an id', () => {
  const record = (id: string, status: string) => ({
    ...{
      id,
      traceId: id,
      depth: 0,
      status,
      createdAt: `2026-01-0${id.at(-1)}T00:00:00Z`,
      updatedAt: '2026-01-01T00:00:00Z',
    },
    request: { query: 'q', contexts: [], rootModel: 'm', subModels: [], tools: [], backend: 'python', limits: {} },
  });
  const FIRST = '01M8JFYZEZ21YMN55KRJ7PXND1';
  const SECOND = '01M8JFYZEZ99YMN55KRJ7PXND2';
  const stored = async () => {
    const store = memoryStore();
    await store.runs.put(record(FIRST, 'paused') as never);
    await store.runs.put(record(SECOND, 'completed') as never);
    return store;
  };

  it('may be its unique beginning, in any case, or last', async () => {
    const store = await stored();
    expect(await runIdOf('01M8JFYZEZ2', store)).toBe(FIRST);
    expect(await runIdOf('01m8jfyzez9', store)).toBe(SECOND);
    expect(await runIdOf('last', store)).toBe(SECOND);
    expect(await runIdOf('last', store, ['interrupted', 'paused'])).toBe(FIRST);
    expect(await runIdOf(FIRST, store)).toBe(FIRST);
  });

  it('is refused when it is unknown, or the beginning of several', async () => {
    const store = await stored();
    await expect(runIdOf('01M8', store)).rejects.toThrow(`2 runs begin with 01M8: ${SECOND}, ${FIRST}`);
    await expect(runIdOf('02', store)).rejects.toMatchObject({ code: 'run-not-found' });
    await expect(runIdOf('', store)).rejects.toMatchObject({ code: 'run-not-found' });
    await expect(runIdOf('last', store, ['running'])).rejects.toThrow('No run is running');
  });
});
