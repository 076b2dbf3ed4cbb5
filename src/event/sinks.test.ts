import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { EventBody, RunEvent } from './event.ts';
import { jsonlSink } from './jsonl-sink.ts';
import { type OpenTelemetryApi, openTelemetrySink } from './open-telemetry.ts';
import { redactEvent } from './redact.ts';

let seq = 0;
function event(body: EventBody, more: Partial<RunEvent> = {}): RunEvent {
  const base = { v: 1, runId: 'r', traceId: 'r', seq: ++seq, time: new Date(1000 * seq).toISOString() } as const;
  return { ...base, ...more, ...body } as RunEvent;
}

const SECRET = 'the body of the context';
const started: EventBody = {
  ...{ type: 'run.started', query: SECRET, depth: 0, contexts: [{ name: SECRET, type: 'str', size: 9 }] },
  ...{ rootModel: 'openai/gpt-5', subCallModel: 'openai/gpt-5-mini', backend: 'python', isolation: 'process' },
};
const cell: EventBody = {
  ...{ type: 'cell.completed', turn: 1, id: 't1.0', ok: false, shown: SECRET, stdout: SECRET, stderr: SECRET },
  ...{
    error: { type: 'ValueError', message: SECRET },
    subCalls: 2,
    failedSubCalls: 0,
    durationMs: 20,
    timedOut: false,
  },
};
const usage: EventBody = {
  ...{ type: 'usage.recorded', model: 'openai/gpt-5', purpose: 'root', depth: 0, attempt: 1, ok: true },
  ...{ inputTokens: 10, outputTokens: 5, costUsd: 0.1, estimated: false, possiblyBilled: false, durationMs: 300 },
};
const completed: EventBody = {
  ...{ type: 'run.completed', outcome: 'failed', stop: 'model-failure', turns: 1, subCalls: 2, inputTokens: 10 },
  ...{ outputTokens: 5, costUsd: null, elapsedMs: 9, reason: SECRET, rootModel: 'a/b', subCallModel: 'a/b' },
};

describe('redaction', () => {
  it('keeps what happened and nothing that was said', () => {
    const bodies: EventBody[] = [
      ...[started, cell, usage, completed],
      {
        type: 'model.replied',
        turn: 1,
        model: 'm',
        text: SECRET,
        reasoning: SECRET,
        finishReason: 'stop',
        durationMs: 1,
      },
      { type: 'command.parsed', turn: 1, id: 't1.0', command: { type: 'cell', code: SECRET } },
      { type: 'command.rejected', turn: 1, code: 'unbalanced', message: SECRET, excerpt: SECRET },
      { type: 'turn.completed', turn: 1, feedback: SECRET, durationMs: 1 },
      { type: 'cell.output', id: 't1.0', stream: 'stdout', text: SECRET },
      { type: 'subcall.fallback', configured: 'a', using: 'b', reason: SECRET },
      { type: 'tool.completed', name: SECRET, ok: false, error: SECRET, durationMs: 1 },
      { type: 'limit.reached', limit: 'maxTurns', value: 3, message: SECRET },
      { type: 'snapshot.created', name: SECRET, bytes: 7 },
      { type: 'repl.restarted', reason: SECRET, lost: SECRET },
      { type: 'journal.diverged', commandId: 't1.0', message: SECRET },
    ];
    const redacted = bodies.map((body) => redactEvent(event(body)));
    expect(JSON.stringify(redacted)).not.toContain(SECRET);
    expect(redacted[0]).toMatchObject({ queryChars: SECRET.length, contexts: [{ type: 'str', size: 9 }], depth: 0 });
    expect(redacted[1]).toMatchObject({ stdoutChars: SECRET.length, error: { type: 'ValueError' }, subCalls: 2 });
    expect(redacted[2]).toMatchObject({ inputTokens: 10, costUsd: 0.1 });
  });
});

describe('JSONL sink', () => {
  it('appends durable events as lines to a private file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-jsonl-'));
    const path = join(folder, 'events.jsonl');
    const events = [event(started), event(completed)];
    for (const each of events) {
      const sink = jsonlSink(path);
      sink.write(each);
      sink.write(event({ type: 'cell.output', id: 't1.0', stream: 'stdout', text: 'x' }));
      await sink.close();
    }
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    rmSync(folder, { recursive: true });
  });

  it('writes to a stream and leaves it open', async () => {
    const chunks: string[] = [];
    const stream = new Writable({
      write(chunk, _, done) {
        chunks.push(String(chunk));
        done();
      },
    });
    const sink = jsonlSink(stream, { redact: true, ephemeral: true });
    sink.write(event({ type: 'cell.output', id: 't1.0', stream: 'stdout', text: SECRET }));
    await sink.close();
    expect(stream.writableEnded).toBe(false);
    expect(JSON.parse(chunks.join(''))).toMatchObject({ type: 'cell.output', textChars: SECRET.length });
  });

  it('reports a file that cannot be written when it is closed, not before', async () => {
    const sink = jsonlSink(join(tmpdir(), 'fathom-no-such-folder', 'events.jsonl'));
    sink.write(event(started));
    await expect(sink.close()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

interface FakeSpan {
  readonly name: string;
  readonly parent: unknown;
  readonly start: number;
  end?: number;
  status?: number;
  attributes: Record<string, unknown>;
}

function fakeApi(): { readonly api: OpenTelemetryApi<unknown>; readonly spans: FakeSpan[] } {
  const spans: FakeSpan[] = [];
  const api: OpenTelemetryApi<unknown> = {
    context: { active: () => 'ambient' },
    trace: {
      setSpan: (_, span) => span,
      getTracer: () => ({
        startSpan(name, options, parent) {
          const { startTime: start, attributes } = options;
          const record: FakeSpan = { name, start, parent, attributes: { ...attributes } };
          spans.push(record);
          return Object.assign(record, {
            setAttributes: (more: object) => Object.assign(record.attributes, more),
            setStatus: ({ code }: { code: number }) => Object.assign(record, { status: code }),
            end: (time?: number) => Object.assign(record, { end: time }),
          });
        },
      }),
    },
  };
  return { api, spans };
}

describe('OpenTelemetry sink', () => {
  it('makes spans of a tree, with the names of the conventions and no content', () => {
    const { api, spans } = fakeApi();
    const sink = openTelemetrySink(api);
    const child = { runId: 'c', parentRunId: 'r' };
    for (const each of [
      ...[event(started), event(usage), event(started, child), event(usage, child), event(completed, child)],
      ...[event({ type: 'tool.completed', name: 'search', ok: true, durationMs: 5 }), event(cell), event(completed)],
    ]) {
      sink(each);
    }
    const [root, chat, childSpan, childChat, tool, python] = spans;
    const names = ['invoke_agent fathom', 'chat openai/gpt-5', 'invoke_agent fathom', 'chat openai/gpt-5'];
    expect(spans.map((span) => span.name)).toEqual([...names, 'execute_tool search', 'execute_tool python']);
    expect(root).toMatchObject({ parent: 'ambient', status: 2 });
    expect(spans.map((span) => span.parent)).toEqual(['ambient', root, root, childSpan, root, root]);
    expect(chat?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
    });
    expect((chat?.end ?? 0) - (chat?.start ?? 0)).toBe(300);
    expect(childChat?.end).toBeDefined();
    expect(tool?.attributes['gen_ai.tool.type']).toBe('function');
    expect(python).toMatchObject({ status: 2, attributes: { 'error.type': 'ValueError' } });
    expect(root?.attributes).toMatchObject({ 'fathom.outcome': 'failed', 'error.type': 'model-failure' });
    expect(JSON.stringify(spans.map((span) => span.attributes))).not.toContain(SECRET);
  });
});
