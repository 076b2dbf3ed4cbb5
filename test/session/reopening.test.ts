/** Sessions that are opened again: what is handed over again, and what differs from the record. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  contexts,
  createRlm,
  fromFile,
  type OpenSessionOptions,
  projected,
  type RlmOptions,
  type RunEvent,
  type Session,
  type SessionOptions,
  sqliteStore,
} from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from './on-each-backend.ts';

// Each test opens several REPLs, one after the other.
vi.setConfig({ testTimeout: 120_000 });

let folder = '';
let stores = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-reopen-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const described = <F extends (args: never) => unknown>(run: F, description = 'a tool'): F & { description: string } =>
  Object.assign(run, { description });

await onEachBackend(({ repl }) => {
  afterAll(() => repl.close());

  /** An `Rlm` over a store, as a process of its own has it. */
  function process(path: string, options: Partial<RlmOptions> = {}) {
    const store = sqliteStore(join(folder, path));
    const events: RunEvent[] = [];
    const model = scriptedModel([], { modelId: 'root' });
    const rlm = createRlm({ model, repl, store, ...options, onEvent: (event) => events.push(event) });
    const close = async (): Promise<void> => {
      await rlm.close();
      await store.close();
    };
    const diverged = () => events.flatMap((event) => (event.type === 'journal.diverged' ? [event] : []));
    return { rlm, store, events, diverged, close };
  }

  interface Made {
    readonly session?: SessionOptions;
    readonly options?: Partial<RlmOptions>;
  }

  /** A session that was used and let go of. */
  async function made({ session: given, options }: Made, use: (session: Session) => Promise<unknown>) {
    const path = `s${++stores}`;
    const first = process(path, options);
    const session = await first.rlm.createSession(given);
    await use(session);
    await first.close();
    return { id: session.id, path };
  }

  async function reopened(
    { id, path }: { readonly id: string; readonly path: string },
    given?: OpenSessionOptions,
    options?: Partial<RlmOptions>,
  ) {
    const next = process(path, options);
    const session = await next.rlm.openSession(id, given);
    return { ...next, session };
  }

  describe('a session that comes back as it was', () => {
    it('has nothing to report', async () => {
      const there = await made({}, async (session) => {
        await session.execute('a = 1\nprint(a)');
        await session.execute('1/0');
        await session.execute('FINAL(a)');
        await session.bash('exit 3');
        await session.snapshot('one');
        await session.snapshot('one').catch(() => undefined);
        await session.setVariable('b', 2);
      });
      const { session, diverged, close } = await reopened(there);
      expect(session.status()).not.toHaveProperty('diverged');
      expect(diverged()).toEqual([]);
      expect((await session.execute('[a, b]')).value).toBe('[1, 2]');
      await close();
    });
  });

  describe('a replay that differs from its record', () => {
    it('shows in the status and in events, with the missing variables, at each opening', async () => {
      let soon = 0;
      const there = await made({}, async (session) => {
        soon = Date.now() / 1000 + 4;
        await session.execute(`import time\nassert time.time() < ${soon}\nresult = 1`);
        await session.execute('kept = 2');
      });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, soon * 1000 - Date.now()) + 50));
      for (let times = 0; times < 2; times++) {
        const { session, diverged, close } = await reopened(there);
        expect(session.status().diverged).toEqual({
          variables: ['result'],
          commands: [{ id: 'e1', message: expect.stringContaining('it failed, and had not (AssertionError') }],
        });
        expect(diverged()).toMatchObject([{ commandId: 'e1' }, { variables: ['result'] }]);
        expect((await session.execute('kept')).value).toBe('2');
        await close();
      }
    });

    it.each([
      [
        'fails with another error',
        'raise (ValueError if OK else KeyError)("x")',
        'another error than ValueError (KeyError',
      ],
      ['does not fail any more', 'assert not OK', 'it did not fail, and had'],
      ['gives another answer', 'FINAL("then" if OK else "now")', 'another answer'],
      ['ends its process', 'if not OK:\n    import os; os._exit(3)', 'the REPL was killed'],
    ])('by a cell that %s', async (_what, code, message) => {
      const flag = join(folder, `flag${++stores}`);
      await writeFile(flag, 'True');
      const there = await made({ session: { context: fromFile(flag) } }, async (session) => {
        await session.execute(`OK = context == "True"`);
        await session.execute(code);
      });
      await writeFile(flag, 'None');
      const given = { context: fromFile(flag) };
      const { session, close } = await reopened(there, given);
      expect(session.status().diverged?.commands).toEqual([{ id: 'e2', message: expect.stringContaining(message) }]);
      await close();
    });

    it('by a bash command with another exit code, and by a snapshot that is not there', async () => {
      const flag = join(folder, `flag${++stores}`);
      await writeFile(flag, 'yes');
      const there = await made({ session: { context: fromFile(flag) } }, async (session) => {
        await session.execute('open("f", "w").write(context)');
        await session.bash('grep -q yes f');
        await session.execute('if context == "yes": x = 1');
      });
      await writeFile(flag, 'not');
      const { session, close } = await reopened(there, { context: fromFile(flag) });
      expect(session.status().diverged).toEqual({
        variables: ['x'],
        commands: [{ id: 'e2', message: expect.stringContaining('it failed, and had not') }],
      });
      await close();
    });

    it('by a completion of which a cell printed something else', async () => {
      const flag = join(folder, `flag${++stores}`);
      await writeFile(flag, 'yes');
      const root = (): RlmOptions['model'] =>
        scriptedModel([cell('print(context)', 'made = 1'), 'FINAL(1)'], { modelId: 'root' });
      const there = await made(
        { session: { context: fromFile(flag) }, options: { model: root() } },
        async (session) => {
          await session.completion({ query: 'x' });
        },
      );
      await writeFile(flag, 'not');
      const { session, close } = await reopened(there, { context: fromFile(flag) });
      expect(session.status().diverged?.commands).toMatchObject([{ id: 't1.0' }]);
      expect(await session.getVariable('made')).toBe(1);
      await close();
    });
  });

  describe('tools of a session that is opened again', () => {
    it('are not needed for what is recorded; a new call says what to hand over', async () => {
      let calls = 0;
      const five = described(() => 5 + calls++);
      const there = await made({ session: { tools: { five, region: 'north' } } }, async (session) => {
        await session.execute('work = 42\nv = five()');
      });
      const { session, close } = await reopened(there);
      expect((await session.execute('[work, v, region]')).value).toBe("[42, 5, 'north']");
      expect(session.status()).not.toHaveProperty('diverged');
      expect(await session.execute('five()')).toMatchObject({
        ok: false,
        error: { type: 'LookupError', message: expect.stringContaining('openSession(id, { tools: { five } })') },
      });
      expect(calls).toBe(1);
      await close();

      const next = await reopened(there, { tools: { five } });
      expect((await next.session.execute('[v, five()]')).value).toBe('[5, 6]');
      expect(next.session.status()).not.toHaveProperty('diverged');
      expect(calls).toBe(2);
      await next.close();

      const last = await reopened(there);
      expect((await last.session.execute('v')).value).toBe('5');
      expect(calls).toBe(2);
      await last.close();
    });

    it('keep their parameters by position, also those of a completion alone', async () => {
      const add = {
        description: 'adds',
        inputSchema: { jsonSchema: { type: 'object', properties: { b: {}, a: {} } } },
        execute: ({ a, b }: { a: number; b: number }) => 10 * b + a,
      };
      const model = scriptedModel([cell('c = add(1, 2)'), 'FINAL(1)'], { modelId: 'root' });
      const there = await made({ session: { tools: { add } }, options: { model } }, async (session) => {
        await session.execute('e = add(3, 4)');
        await session.completion({ query: 'x', tools: { add } });
      });
      const { session, close } = await reopened(there);
      expect((await session.execute('[e, c]')).value).toBe('[34, 12]');
      expect(session.status()).not.toHaveProperty('diverged');
      await close();
    });

    it('are not called in a replay that differs', async () => {
      const called: unknown[] = [];
      const log = described((args: unknown) => called.push(args));
      const flag = join(folder, `flag${++stores}`);
      await writeFile(flag, '1');
      const there = await made({ session: { tools: { log }, context: fromFile(flag) } }, async (session) => {
        await session.execute('log(n=context)');
      });
      await writeFile(flag, '2');
      const given = { tools: { log }, context: fromFile(flag) };
      const { session, close } = await reopened(there, given);
      expect(called).toEqual([{ n: '1' }]);
      expect(session.status().diverged?.commands).toMatchObject([{ id: 'e1' }]);
      await session.execute('log(n="live")');
      expect(called).toEqual([{ n: '1' }, { n: 'live' }]);
      await close();
    });

    it('are those of the Rlm where the session had no own', async () => {
      const there = await made({ options: { tools: { one: described(() => 1) } } }, (session) =>
        session.execute('one()'),
      );
      const { session, close } = await reopened(there, undefined, { tools: { one: described(() => 11) } });
      expect((await session.execute('one()')).value).toBe('11');
      await close();
    });

    it('are refused when they cannot be tools, before anything is opened', async () => {
      const there = await made({}, (session) => session.execute('a = 1'));
      const next = process(there.path);
      await expect(next.rlm.openSession(there.id, { tools: { 'not a name': 1 } })).rejects.toMatchObject({
        code: 'invalid-tool-name',
      });
      await expect(next.rlm.openSession(there.id, 5 as never)).rejects.toMatchObject({ code: 'invalid-option' });
      expect((await (await next.rlm.openSession(there.id)).execute('a')).value).toBe('1');
      await next.close();
    });
  });

  describe('contexts of a session that is opened again', () => {
    it('raise when they are used and were not handed over; everything else is there', async () => {
      const there = await made({ session: { context: projected([1, 2]) } }, async (session) => {
        await session.execute('work = 42\nopen("f", "w").write("kept")');
        await session.execute('first = context[0]');
        await session.snapshot('one');
      });
      const { session, close } = await reopened(there);
      expect((await session.execute('[work, open("f").read()]')).value).toBe("[42, 'kept']");
      expect((await session.snapshots()).map(({ name }) => name)).toEqual(['one']);
      expect(session.status().diverged).toMatchObject({ variables: ['first'], commands: [{ id: 'e2' }] });
      for (const use of [
        ...[
          'context[0]',
          'len(context_0)',
          'for x in context: pass',
          'context.split()',
          'str(context)',
          '"a" in context',
        ],
        ...['context == 1', 'f"{context}"', '"a" + context', 'bool(context)', 'context()', 'sorted(context)'],
      ]) {
        const { error } = await session.execute(use);
        expect(error, use).toMatchObject({
          type: 'LookupError',
          message:
            'the context context_0 is not available: it was projected from the process that handed it over. Hand it over again: openSession(id, { context: contexts({ context_0: … }) })',
        });
      }
      expect((await session.execute('context')).value).toContain('unavailable');
      await close();

      // The cells above failed for want of the context, and are recorded so.
      const next = await reopened(there, { context: projected([1, 2]) });
      expect(next.session.status().diverged?.variables).toEqual([]);
      expect((await next.session.execute('[work, first, list(context)]')).value).toBe('[42, 1, [1, 2]]');
      await next.close();
    });

    it('are matched by name, those of completions as well', async () => {
      const model = scriptedModel([cell('a = context[0]'), 'FINAL(1)', cell('b = notes[0:2]'), 'FINAL(1)'], {
        modelId: 'root',
      });
      const there = await made({ options: { model } }, async (session) => {
        await session.completion({ query: 'x', context: projected(['p', 'q']) });
        await session.completion({ query: 'y', context: contexts({ notes: projected('hello'), plain: 'text' }) });
      });
      const given = contexts({ context_0: projected(['p', 'q']), notes: projected('hello') });
      const { session, close } = await reopened(there, { context: given });
      expect((await session.execute('[a, b, context_0[1], notes[4], plain]')).value).toBe(
        "['p', 'he', 'q', 'o', 'text']",
      );
      expect(session.status()).not.toHaveProperty('diverged');
      await close();

      const half = await reopened(there, { context: contexts({ notes: projected('hello') }) });
      expect(half.session.status().diverged).toMatchObject({ variables: ['a'] });
      expect((await half.session.execute('b')).value).toBe("'he'");
      expect((await half.session.execute('context_0')).value).toContain('unavailable');
      await half.close();
    });

    it('that the session does not have are refused, and it can be opened all the same', async () => {
      const there = await made({ session: { context: projected([1]) } }, (session) => session.execute('a = 1'));
      const next = process(there.path);
      await expect(
        next.rlm.openSession(there.id, { context: contexts({ context_1: 'x', other: 'y' }) }),
      ).rejects.toMatchObject({
        code: 'context-invalid',
        message: `Session ${there.id} has no context context_1, other: its contexts are context_0.`,
        data: { unknown: ['context_1', 'other'] },
      });
      expect((await (await next.rlm.openSession(there.id)).execute('a')).value).toBe('1');
      await next.close();
      const bare = await made({}, (session) => session.execute('a = 1'));
      await expect(reopened(bare, { context: 'x' })).rejects.toMatchObject({ code: 'context-invalid' });
    });

    it('that are files stand in the same way once they are gone or have changed', async () => {
      const path = join(folder, `file${++stores}`);
      await writeFile(path, 'abc');
      const there = await made({ session: { context: fromFile(path) } }, (session) =>
        session.execute('n = len(context)'),
      );
      await rm(path);
      const { session, close } = await reopened(there);
      expect((await session.execute('context')).value).toContain(`the file ${path} is gone`);
      await close();
      const moved = `${path}.moved`;
      await writeFile(moved, 'abc');
      const next = await reopened(there, { context: fromFile(moved) });
      expect(next.session.status()).not.toHaveProperty('diverged');
      expect((await next.session.execute('[n, context]')).value).toBe("[3, 'abc']");
      await next.close();
      await writeFile(path, 'abc');
      const back = await reopened(there);
      expect((await back.session.execute('[n, context]')).value).toBe("[3, 'abc']");
      await back.close();
    });

    it('leave a completion in a session without them a context that says so', async () => {
      const there = await made({ session: { context: projected([1]) } }, (session) => session.execute('a = 1'));
      const model = scriptedModel([cell('print(context[0])'), cell('FINAL(a)')], { modelId: 'root' });
      const { session, close } = await reopened(there, undefined, { model });
      expect((await session.completion({ query: 'x' })).answer).toBe('1');
      expect(model.requests[1]?.prompt).toContain('the context context_0 is not available');
      await close();
    });
  });
});
