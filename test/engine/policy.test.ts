/** Policies: rules about the commands that a model may run. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createRlm, memoryStore, type RlmOptions, type RunEvent } from '../../src/index.ts';
import {
  askOnTerminal,
  type CommandPolicy,
  type PolicyOptions,
  type PolicyRefusal,
  policy,
} from '../../src/policy/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { onEachBackend } from '../session/on-each-backend.ts';
import { cell, play, rlmOf } from './harness.ts';

const RULES: PolicyOptions = {
  python: { imports: { deny: ['subprocess', 'socket'] }, calls: { deny: ['os.system', 'os.popen', 'shutil.rmtree'] } },
  bash: { commands: { deny: ['rm', 'dd'] } },
};

const decided = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'policy.decided' ? [event] : []));

await onEachBackend(({ repl }) => {
  it('refused commands do not run, and the model reads what is allowed', async () => {
    const events: RunEvent[] = [];
    const model = scriptedModel([
      cell('import os', 'open("trace.txt", "w").write("ran")', 'os.system("id")'),
      '```bash\nrm -f trace.txt\n```',
      cell('import os', 'FINAL(str(os.path.exists("trace.txt")))'),
    ]);
    await using rlm = createRlm({ repl, model, policy: policy(RULES), onEvent: (event) => events.push(event) });
    const { text } = await rlm.completion({ query: 'Q', context: 'x' });
    expect(text).toBe('False');
    expect(model.requests[1]?.prompt).toContain(
      '| Not run: the policy refused it. Using os.system is not allowed; everything but',
    );
    expect(model.requests[2]?.prompt).toContain('The command rm is not allowed');
    expect(decided(events).map(({ id, decision }) => [id, decision])).toEqual([
      ['t1.0', 'refused'],
      ['t2.0', 'refused'],
    ]);
  });
});

describe('in a run', () => {
  const bad = cell('import subprocess');
  const runWith = (rules: CommandPolicy, root: readonly string[], more: Partial<RlmOptions> = {}) =>
    play({ context: 'x', root, options: { policy: rules, ...more } });

  it('three refusals in a row ask for the best answer', async () => {
    const { result, events } = await runWith(policy(RULES), [bad, bad, bad, 'Final answer: unknown']);
    expect(result).toMatchObject({
      outcome: 'exhausted',
      stop: 'finish-requested',
      reason: expect.stringContaining('the policy refused 3 commands in a row'),
    });
    expect(events.filter(({ type }) => type === 'policy.refusals')).toMatchObject([{ count: 3, taken: 'stop' }]);
  });

  it('the caller decides after so many refusals as it says', async () => {
    const seen: (readonly PolicyRefusal[])[] = [];
    const rules = policy({
      ...RULES,
      maxRefusals: 2,
      onRefusals: (refusals) => {
        seen.push(refusals);
        return 'continue';
      },
    });
    const { result } = await runWith(rules, [bad, bad, cell('FINAL(1)')]);
    expect(result).toMatchObject({ outcome: 'converged', text: '1' });
    expect(seen).toMatchObject([
      [{ id: 't1.0', kind: 'python', rule: 'python.imports deny subprocess' }, { id: 't2.0' }],
    ]);
  });

  it('a command that needs permission is asked for, and refused without it', async () => {
    const asked: PolicyRefusal[] = [];
    const rules = (answer?: boolean): CommandPolicy => {
      const made = policy({
        python: { calls: { ask: ['open'] } },
        ask: async (question) => answer === true && asked.push(question) > 0,
      });
      const { ask: _, ...withoutAsk } = made;
      return answer === undefined ? withoutAsk : made;
    };
    const root = [cell('print(open("a.txt", "w").write("abc"))'), cell('FINAL("end")')];
    const yes = await runWith(rules(true), root);
    expect(decided(yes.events)).toMatchObject([{ decision: 'allowed' }]);
    expect(yes.root.requests[1]?.prompt).toContain('| 3');
    expect(asked).toMatchObject([{ id: 't1.0', message: 'using open needs the permission of the caller' }]);
    for (const answer of [false, undefined]) {
      const no = await runWith(rules(answer), root);
      expect(decided(no.events)).toMatchObject([{ decision: 'refused' }]);
      expect(no.root.requests[1]?.prompt).toContain('Not run');
    }
  });

  it('f-strings of an answer are code as well', async () => {
    const { result, root } = await runWith(policy(RULES), [
      cell('x = 1'),
      `FINAL(f"{__import__('os').system('id')}")`,
      'FINAL("plain")',
    ]);
    expect(root.requests[2]?.prompt).toContain('was not evaluated: the policy refused it');
    expect(result.text).toBe('plain');
  });

  it('children are checked as well', async () => {
    const { events } = await play({
      context: 'x',
      limits: { maxDepth: 2 },
      options: { policy: policy(RULES) },
      root: [cell('FINAL(rlm_query("q", "y"))')],
      sub: [cell('import socket'), cell('FINAL("done")')],
    });
    expect(decided(events).map(({ decision }) => decision)).toEqual(['refused']);
  });

  it('a policy that fails allows nothing', async () => {
    const failing: CommandPolicy = {
      check: () => {
        throw new Error('no rules');
      },
    };
    const { root } = await runWith(failing, [cell('x = 1'), 'FINAL("a")', 'FINAL("a")']);
    expect(root.requests[1]?.prompt).toContain('The policy itself failed: no rules');
  });

  it('a resumed run does not ask again', async () => {
    let asked = 0;
    const rules = policy({ python: { calls: { ask: ['open'] } }, ask: async () => ++asked > 0 });
    const store = memoryStore();
    let turn = 0;
    const mock = await startMockProvider({
      respond: () => {
        turn += 1;
        if (turn === 1) return { text: cell('print(open("a.txt", "w").write("abc"))') };
        if (turn === 2) return { fault: 'status', status: 401, error: { message: 'no', type: 'authentication_error' } };
        return { text: cell('FINAL("end")') };
      },
    });
    const make = () => rlmOf({ model: `${mock.url}/v1#m`, store, policy: rules });
    const first = make().completion({ query: 'Q', context: 'x' });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    expect(await make().resume(first.id)).toMatchObject({ text: 'end' });
    expect(asked).toBe(1);
    await mock.close();
  });

  it('is refused by createRlm when it is not one', () => {
    expect(() => createRlm({ model: scriptedModel([]), policy: {} as CommandPolicy })).toThrow(/has to be a policy/);
  });
});

describe('asking on a terminal', () => {
  it.each([
    ['y\n', true],
    ['\n', false],
    ['no\n', false],
  ])('%j → %s', async (typed, expected) => {
    const input = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.ReadStream;
    const output = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream;
    const ask = askOnTerminal(input, output);
    const question = {
      kind: 'bash',
      source: 'rm x\u001b[2K',
      runId: 'r',
      id: 't1.0',
      rule: 'r',
      message: 'the command rm needs it',
    } as const;
    const answer = ask?.(question);
    (input as unknown as PassThrough).write(typed);
    expect(await answer).toBe(expected);
    const shown = String((output as unknown as PassThrough).read());
    expect(shown).toContain('rm x\\u001b[2K');
    expect(shown).toContain('Run it? [y/N]');
  });

  it('is not possible without one', () => {
    const pipe = new PassThrough() as unknown as NodeJS.ReadStream;
    expect(askOnTerminal(pipe, pipe as unknown as NodeJS.WriteStream)).toBeUndefined();
  });
});
