import type { Stored } from '../event/event-log.ts';

/** A request to end a run, for the process that works on it. */
export interface StopRequest {
  /** `finish` asks for the best answer now. */
  readonly action: 'cancel' | 'finish';
  /** For the run's record. */
  readonly reason: string;
}

/** Requests to end runs: the process that works on a run may be on another machine, where no signal reaches it. */
export interface StopTable {
  /** Asks for the end of a run; a later request replaces it. Written. */
  put(runId: string, request: StopRequest): Stored;
  get(runId: string): Promise<StopRequest | undefined>;
  delete(runId: string): Stored;
  /**
   * Calls `onRequest` for a request that is there or arrives, from any process, perhaps twice. The returned function ends it. A
   * request arrives within seconds.
   */
  watch(runId: string, onRequest: (request: StopRequest) => void): () => void;
}

/** The action of a stored request. */
export function actionOf(action: unknown): StopRequest['action'] {
  return action === 'finish' ? 'finish' : 'cancel';
}
