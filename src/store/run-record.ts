import type { Evidence, Outcome, Route, StopReason } from '../event/event.ts';
import type { Limits } from '../limits.ts';
import type { JsonValue } from '../repl/port.ts';
import type { BlobRef } from './blob-store.ts';

/**
 * The state of a run. `queued`: it waits for a worker. `running`: its process lives. `interrupted`: its process died; it can be resumed. `paused`: it
 * stopped for something a person can mend (a quota, a key); it can be resumed. The others are final.
 */
export type RunStatus = 'queued' | 'running' | 'interrupted' | 'paused' | 'completed' | 'failed' | 'aborted';

/** Statuses from which a run can be resumed. */
export const RESUMABLE: ReadonlySet<RunStatus> = new Set(['queued', 'interrupted', 'paused']);

/** Who asked for a run or opened a session through a door. */
export interface RunOwner {
  /** Such as `server`. */
  readonly door: string;
  /** Of the key or client: it sees its own runs and sessions only. */
  readonly name: string;
  /** The door's process resumes the run when it starts again. False: the run ends with the connection that asked for it. */
  readonly detached: boolean;
}

/** The record of a run besides its events and journal. */
export interface RunRecord {
  readonly id: string;
  readonly parentRunId?: string;
  /** The run id of the tree's root. */
  readonly traceId: string;
  readonly depth: number;
  readonly sessionId?: string;
  /** Absent: the process that started it. */
  readonly owner?: RunOwner;
  readonly status: RunStatus;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly request: RunRequest;
  /** Once it has ended, or was paused. */
  readonly result?: RunResult;
}

/** The request of a run, and all that is needed to repeat it. Closed on purpose: no key, token or header has a place in it. */
export interface RunRequest {
  readonly query: string;
  readonly contexts: readonly StoredContext[];
  readonly seed?: readonly StoredContext[];
  readonly attachments?: StoredContext;
  /** Ids of models; a model object has to be given again on resume. */
  readonly rootModel: string;
  readonly subModels: readonly string[];
  /** References of those whose id does not name them, by id. */
  readonly references?: Readonly<Record<string, string>>;
  /** Names of the tools; they have to be given again on resume. */
  readonly tools: readonly string[];
  readonly subTools?: readonly string[];
  readonly backend: string;
  readonly limits: Limits;
  readonly prompt?: {
    readonly instructions?: string;
    readonly system?: string;
    readonly dialect?: 'fathom' | 'reference';
    readonly stopAfterFirstBlock?: boolean;
  };
  readonly requireInspection?: boolean;
  readonly modelSettings?: {
    readonly temperature?: number;
    readonly reasoningEffort?: string;
    readonly root?: { readonly temperature?: number; readonly reasoningEffort?: string };
    readonly sub?: { readonly temperature?: number; readonly reasoningEffort?: string };
  };
  /** In mode `auto` or `direct`: the way that was chosen first. */
  readonly route?: Route;
  readonly evidence?: 'cite';
  /** JSON Schema of the answer; the schema itself has to be given again on resume. */
  readonly output?: JsonValue;
}

/** A context as it can be loaded again. */
export type StoredContext =
  | { readonly name: string; readonly kind: 'none' }
  | { readonly name: string; readonly kind: 'text' | 'json'; readonly blob: BlobRef }
  | {
      readonly name: string;
      readonly kind: 'file';
      readonly path: string;
      readonly bytes: number;
      /** SHA-256 of its bytes in hex, when it was taken. */
      readonly sha256?: string;
      /** Of a file of more than 256 MiB: SHA-256 of pieces of it, and when it was written to last, in nanoseconds since 1970. */
      readonly sample?: string;
      readonly modified?: string;
      /** How to read it, as the context folder needs it. */
      readonly options?: JsonValue;
      /** A copy of it in the store, for other machines. */
      readonly blob?: BlobRef;
    }
  | {
      readonly name: string;
      readonly kind: 'files';
      readonly documents: readonly {
        readonly path: string;
        readonly bytes?: number;
        readonly sha256?: string;
        readonly sample?: string;
        readonly modified?: string;
        /** Its text; with `file`: a copy of that for other machines. */
        readonly blob?: BlobRef;
        /** Where it lies on the host, when `path` is the name it has in the context. */
        readonly file?: string;
        /** How to read it. */
        readonly options?: JsonValue;
        /** Of an attachment: id, media type, label. */
        readonly about?: JsonValue;
      }[];
      readonly options?: JsonValue;
    }
  /** Lives in the caller's process: it has to be given again on resume. */
  | { readonly name: string; readonly kind: 'projected' };

/** The end of a run in short, for lists. */
export interface RunResult {
  readonly outcome: Outcome;
  readonly stop: StopReason;
  readonly text: string;
  readonly reason?: string;
  readonly turns: number;
  readonly subCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly elapsedMs: number;
  /** With `evidence: 'cite'`. */
  readonly evidence?: Evidence;
}

/** Which runs to list. Every condition given has to hold. */
export interface RunFilter {
  readonly status?: RunStatus | readonly RunStatus[];
  readonly sessionId?: string;
  readonly parentRunId?: string;
  readonly traceId?: string;
  /** Only runs a caller started. */
  readonly rootsOnly?: boolean;
  /** Part of the query, upper and lower case alike. */
  readonly text?: string;
  /** ISO 8601: created at or after. */
  readonly since?: string;
  /** Default 100. */
  readonly limit?: number;
}
