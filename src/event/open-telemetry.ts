import { defined } from '../defined.ts';
import type { RunCompleted, RunEvent, RunStarted, UsageRecorded } from './event.ts';

/** The part of `@opentelemetry/api` this sink uses: give it that module. */
export interface OpenTelemetryApi<Context = unknown> {
  readonly trace: {
    getTracer(name: string, version?: string): OpenTelemetryTracer<Context>;
    setSpan(context: Context, span: OpenTelemetrySpan): Context;
  };
  readonly context: { active(): Context };
}

/** Its tracer, as far as it is used. */
export interface OpenTelemetryTracer<Context> {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly startTime: number; readonly attributes: Attributes },
    context: Context,
  ): OpenTelemetrySpan;
}

/** Its span, as far as it is used. */
export interface OpenTelemetrySpan {
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(endTime?: number): void;
}

type Attributes = Record<string, string | number | boolean>;

/** Numbers of `SpanKind` and `SpanStatusCode`. */
const INTERNAL = 0;
const CLIENT = 2;
const ERROR = 2;

/**
 * Makes spans of events, after OpenTelemetry's semantic conventions for generative AI: `invoke_agent` for a completion,
 * under it `chat` for each model round trip, `execute_tool` for each cell and tool call, and `invoke_agent` for each
 * child. Spans hold no content: no query, reply, code or output.
 *
 * @returns a function to give as `onEvent`
 * @example
 * ```ts
 * import * as api from '@opentelemetry/api';
 * const rlm = createRlm({ model: 'openai/gpt-5', onEvent: openTelemetrySink(api) });
 * ```
 */
export function openTelemetrySink<Context>(api: OpenTelemetryApi<Context>): (event: RunEvent) => void {
  const tracer = api.trace.getTracer('fathom-rlm');
  /** Spans of runs under way. */
  const runs = new Map<string, { readonly span: OpenTelemetrySpan; readonly context: Context }>();

  function open(event: RunEvent, attributes: Attributes): void {
    if (runs.has(event.runId)) return;
    const parent = runs.get(event.parentRunId ?? '')?.context ?? api.context.active();
    const common = {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'fathom',
      'fathom.run.id': event.runId,
    };
    const options = { kind: INTERNAL, startTime: Date.parse(event.time), attributes: { ...common, ...attributes } };
    const span = tracer.startSpan('invoke_agent fathom', options, parent);
    runs.set(event.runId, { span, context: api.trace.setSpan(parent, span) });
  }

  function add(
    event: RunEvent,
    child: { name: string; kind: number; durationMs: number; attributes: Attributes },
  ): void {
    const context = runs.get(event.runId)?.context;
    if (context === undefined) return;
    const end = Date.parse(event.time);
    const { name, kind, durationMs, attributes } = child;
    const span = tracer.startSpan(name, { kind, startTime: end - durationMs, attributes }, context);
    const error = attributes['error.type'];
    if (error !== undefined) span.setStatus({ code: ERROR, message: String(error) });
    span.end(end);
  }

  function close(event: RunEvent & RunCompleted): void {
    const run = runs.get(event.runId);
    if (run === undefined) return;
    runs.delete(event.runId);
    run.span.setAttributes(resultAttributes(event));
    if (event.outcome === 'failed' || event.outcome === 'aborted')
      run.span.setStatus({ code: ERROR, message: event.stop });
    run.span.end(Date.parse(event.time));
  }

  return (event) => {
    switch (event.type) {
      case 'run.started':
        open(event, startAttributes(event));
        break;
      case 'run.resumed':
        open(event, { 'fathom.resumed': true });
        break;
      case 'usage.recorded':
        add(event, {
          name: `chat ${event.model}`,
          kind: CLIENT,
          durationMs: event.durationMs ?? 0,
          attributes: chat(event),
        });
        break;
      case 'cell.completed':
        add(
          event,
          tool('python', 'extension', event.durationMs, event.ok ? undefined : (event.error?.type ?? 'error')),
        );
        break;
      case 'tool.completed':
        add(event, tool(event.name, 'function', event.durationMs, event.ok ? undefined : 'error'));
        break;
      case 'run.completed':
        close(event);
        break;
      default: // No span of its own.
    }
  };
}

function startAttributes(event: RunStarted): Attributes {
  return {
    ...modelAttributes(event.rootModel),
    ...defined({ 'gen_ai.conversation.id': event.sessionId }),
    'fathom.depth': event.depth,
    'fathom.backend': event.backend,
    'fathom.isolation': event.isolation,
  };
}

function resultAttributes(event: RunCompleted): Attributes {
  return {
    'gen_ai.usage.input_tokens': event.inputTokens,
    'gen_ai.usage.output_tokens': event.outputTokens,
    'fathom.outcome': event.outcome,
    'fathom.stop': event.stop,
    'fathom.turns': event.turns,
    'fathom.sub_calls': event.subCalls,
    ...(event.costUsd === null ? {} : { 'fathom.cost_usd': event.costUsd }),
    ...(event.outcome === 'failed' || event.outcome === 'aborted' ? { 'error.type': event.stop } : {}),
  };
}

function chat(event: UsageRecorded): Attributes {
  return {
    'gen_ai.operation.name': 'chat',
    ...modelAttributes(event.model),
    'gen_ai.usage.input_tokens': event.inputTokens,
    'gen_ai.usage.output_tokens': event.outputTokens,
    ...defined({ 'gen_ai.usage.cache_read.input_tokens': event.cachedTokens }),
    'fathom.purpose': event.purpose,
    'fathom.attempt': event.attempt,
    ...(event.ok ? {} : { 'error.type': event.code ?? 'error' }),
  };
}

function tool(
  name: string,
  type: string,
  durationMs: number,
  error: string | undefined,
): { name: string; kind: number; durationMs: number; attributes: Attributes } {
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
    'gen_ai.tool.type': type,
    ...defined({ 'error.type': error }),
  };
  return { name: `execute_tool ${name}`, kind: INTERNAL, durationMs, attributes };
}

function modelAttributes(model: string): Attributes {
  const slash = model.indexOf('/');
  if (slash < 0) return { 'gen_ai.request.model': model };
  return { 'gen_ai.provider.name': model.slice(0, slash), 'gen_ai.request.model': model.slice(slash + 1) };
}
