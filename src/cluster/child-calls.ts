import type { EventBody } from '../event/event.ts';
import type { JsonValue } from '../repl/port.ts';
import type { Durability, JournalEntry } from '../store/port.ts';
import type { EnterBody, LeaveBody, ObserveBody } from './model-slots.ts';
import type { PolicyQuestion } from './remote-policy.ts';

/** The calls of a worker for one child, by method. */
export interface ChildCalls {
  readonly hello: { readonly childId: string; readonly attempt: string; readonly leaseMs: number };
  readonly confirm: { readonly childId: string };
  readonly append: { readonly entry: JournalEntry; readonly durability: Durability };
  readonly event: { readonly runId: string; readonly parentRunId: string; readonly body: EventBody };
  readonly reopen: { readonly runId: string; readonly parentRunId: string };
  readonly tool: {
    readonly name: string;
    readonly args: Readonly<Record<string, JsonValue>>;
    readonly toolCallId: string;
    readonly repeated: boolean;
  };
  readonly enter: EnterBody;
  readonly observe: ObserveBody;
  readonly leave: LeaveBody;
  readonly policy: PolicyQuestion;
  readonly content: { readonly offset: number };
  readonly end: { readonly result?: JsonValue; readonly error?: JsonValue };
}
