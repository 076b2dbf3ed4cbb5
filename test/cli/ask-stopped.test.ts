import { describe, expect, test } from 'vitest';
import type { MockReply, MockRequest } from '../mock-provider/index.ts';
import { ask, cell, isLastCall, mock, turnOf } from './ask-harness.ts';

describe('a question that cannot be asked', () => {
  const wrong: readonly {
    name: string;
    args: readonly string[];
    code: number;
    says: string;
    env?: Record<string, string>;
  }[] = [
    { name: 'no model', args: ['Q'], code: 2, says: 'FATHOM_MODEL' },
    { name: 'an unknown option', args: ['Q', '--colour'], code: 2, says: '--colour' },
    { name: 'a number that is a word', args: ['Q', '--max-turns', 'many'], code: 2, says: 'whole number' },
    {
      name: 'a limit out of range',
      args: ['Q', '--max-turns', '0', '-m', 'openai/gpt-5'],
      code: 2,
      says: '[invalid-limit]',
    },
    {
      name: 'a schema that is not there',
      args: ['Q', '--schema', 'none.json', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'none.json',
    },
    {
      name: 'a trace that cannot be',
      args: ['Q', '--trace', 'no/such/folder/t', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'no/such/folder/t',
    },
    {
      name: 'a missing key',
      args: ['Q', '-m', 'openai/gpt-5'],
      code: 5,
      says: 'OPENAI_API_KEY',
      env: { OPENAI_API_KEY: '' },
    },
    {
      name: 'no time at all',
      args: ['Q', '--timeout', '0', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'The option --timeout = 0',
    },
    { name: 'a word after -f', args: ['-f', 'docs/a.txt', 'Q'], code: 2, says: 'The question is missing' },
    { name: 'an unknown provider', args: ['Q', '-m', 'unknown/gpt'], code: 5, says: '[model-not-found]' },
    {
      name: 'a server without a model',
      args: ['Q', '-m', 'http://127.0.0.1:8000/v1'],
      code: 5,
      says: 'base-url#model',
    },
    {
      name: 'a URL as context',
      args: ['Q', '-f', 'https://example.com/a', '-m', 'openai/gpt-5'],
      code: 5,
      says: '--fetch is not given',
    },
    {
      name: 'a file that is not there',
      args: ['Q', '-f', 'none.txt', '-m', 'openai/gpt-5'],
      code: 5,
      says: 'none.txt',
    },
    {
      name: 'money limited without a price',
      args: ['Q', '--max-cost', '1', '-m', 'http://127.0.0.1:9/v1#x'],
      code: 5,
      says: "--price 'openai-compatible/x=IN,OUT'",
    },
    {
      name: 'isolation that no backend has',
      args: ['Q', '--isolation', 'vm', '-m', 'openai/gpt-5'],
      code: 5,
      says: '[isolation-unavailable]',
    },
  ];
  test.each(wrong)('$name: exit code $code, no stack', async ({ args, code, says, env }) => {
    const calls = mock.calls.length;
    const outcome = await ask(args, env === undefined ? {} : { env });
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    // Earlier lines (a notice, the beginning of the run) stay; then one line of one form, without a sum of nothing.
    expect(outcome.stderr).toMatch(/(?:^|\n)fathom: .+ \[[a-z-]+\]\n$/);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
    expect(mock.calls.length).toBe(calls);
  });
});

describe('Ctrl-C', () => {
  /** Sends the signal once a call is in flight. */
  const interruptIn = (reply: string, signals: readonly NodeJS.Signals[]) => {
    let sent = 0;
    return (stderr: string, child: { kill(signal: NodeJS.Signals): boolean }): void => {
      const due = sent === 0 ? stderr.includes(reply) : stderr.includes('Ctrl-C again');
      if (!due || sent >= signals.length) return;
      child.kill(signals[sent] ?? 'SIGINT');
      sent += 1;
    };
  };
  /** Turn 1 works, turn 2 never comes, a last call is answered. */
  const stuck = (request: MockRequest): MockReply => {
    if (isLastCall(request)) return 'FINAL_VAR(x)';
    return turnOf(request) === 0 ? cell('x = 41 + 1') : { fault: 'hang-before-headers' };
  };

  test('once: the best answer so far, exit code 3', async () => {
    mock.respondWith(stuck);
    const onStderr = interruptIn('turn 1/30 done', ['SIGINT']);
    const { code, stdout, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '42\n' });
    expect(stderr).toContain('finish-requested');
  });

  test('twice: stopped, exit code 130', async () => {
    mock.respondWith((request) => (turnOf(request) === 0 ? cell('x = 1') : { fault: 'hang-before-headers' }));
    const onStderr = interruptIn('turn 1/30 done', ['SIGINT', 'SIGINT']);
    const { code, stdout, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('fathom: stopped.');
    expect(stderr).toContain('aborted (cancelled) · 1 turn');
  });

  test('SIGTERM: stopped, exit code 143', async () => {
    mock.respondWith((request) => (turnOf(request) === 0 ? cell('x = 1') : { fault: 'hang-before-headers' }));
    const onStderr = interruptIn('turn 1/30 done', ['SIGTERM']);
    const { code, signal } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, signal }).toEqual({ code: 143, signal: null });
  });
});
