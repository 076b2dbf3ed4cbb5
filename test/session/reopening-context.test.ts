/** Tools and contexts of sessions that are opened again: the values given again. */
import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { contexts, fromFile, projected } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onOneBackend } from './on-each-backend.ts';
import { described, freshPath, reopener } from './reopening-harness.ts';

// Each test opens several REPLs, one after the other.
vi.setConfig({ testTimeout: 120_000 });

await onOneBackend(({ repl }) => {
  const { process, made, reopened } = reopener(repl);

  describe('tools of a session that is opened again', () => {
    it('are not needed for what is recorded; a new call says what to give', async () => {
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
      const flag = freshPath('flag');
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
    it('raise when they are used and were not given; everything else is there', async () => {
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
      const path = freshPath('file');
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
