import type { JournalEntry } from '../store/port.ts';
import type { BeginBody, CallBody, ChildBody, StepBody } from './entries.ts';
import type { RecordedCall } from './port.ts';
import { placeOf, scopeOf } from './step-key.ts';

/** A sub-call, as the journal of its tree knows it. */
export interface JournalCall {
  /** The key of its step. */
  readonly key: string;
  /** The scope it was made in: `''` for the root's. */
  readonly scope: string;
  /** The command that made it, e.g. `t3.0`. */
  readonly command: string;
  readonly model: string;
  /** Absent in the records of versions that did not keep prompts. */
  readonly asked?: Pick<RecordedCall, 'callId' | 'kind' | 'messages'>;
  /** Model round trips, retries included. 0: a child, or a call that was refused before it was sent. */
  readonly attempts: number;
  /** Absent while it is under way, and when the run was stopped before it ended. */
  readonly result?: JournalCallResult;
  /** Milliseconds from asking to the result. */
  readonly durationMs?: number;
  /** Of a child completion. */
  readonly childRunId?: string;
}

/** The reply of a sub-call. */
export interface JournalCallResult {
  readonly ok: boolean;
  /** Empty when it failed. */
  readonly text: string;
  readonly reasoning?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number | null };
}

/** Values of the steps that are sub-calls. */
interface ServedValue {
  readonly reply: JournalCallResult;
}

type Draft = { -readonly [K in keyof JournalCall]: JournalCall[K] } & { startedAt: number };

/** The sub-calls of a tree, from the entries of its journal, in the order in which they were asked for. */
export function journalCalls(entries: readonly JournalEntry[]): readonly JournalCall[] {
  const drafts = new Map<string, Draft>();
  const draftOf = (key: string, at: number): Draft => {
    const known = drafts.get(key);
    if (known !== undefined) return known;
    const draft = { key, scope: scopeOf(key), command: placeOf(key), model: '', attempts: 0, startedAt: at };
    drafts.set(key, draft);
    return draft;
  };
  for (const { kind, key, body } of entries) {
    // A call has several entries, and its key is long.
    if (!drafts.has(key) && !isCall(key)) continue;
    if (kind === 'call') {
      const { at, callId, kind: asKind, model, messages } = body as unknown as CallBody;
      Object.assign(draftOf(key, at), { model, asked: { callId, kind: asKind, messages } });
    } else if (kind === 'begin') {
      const { at, attempt, model } = body as unknown as BeginBody;
      Object.assign(draftOf(key, at), { attempts: attempt, model });
    } else if (kind === 'child') {
      const { at, runId } = body as unknown as ChildBody;
      draftOf(key, at).childRunId = runId;
    } else if (kind === 'step') {
      const { at, value } = body as unknown as StepBody;
      const draft = draftOf(key, at);
      Object.assign(draft, { result: (value as ServedValue | null)?.reply, durationMs: at - draft.startedAt });
    }
  }
  return [...drafts.values()].map(({ startedAt: _, ...call }) => call);
}

/** Steps of sub-calls and children: `…t3.0/sub@i2/…`. */
function isCall(key: string): boolean {
  return /\/(?:sub|child)(?:@[^/]*)?\/[^/>]*$/.test(key);
}
