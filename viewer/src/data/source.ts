import type {
  BriefPage,
  BriefQuery,
  CallLine,
  Matches,
  Overview,
  Page,
  RunLine,
  TurnView,
} from '../../../src/view/pages/page-types.ts';

export type * from '../../../src/view/pages/page-types.ts';

/** Which runs to list. */
export interface ListQuery extends BriefQuery {
  /** Empty: any. */
  readonly status: string;
}

/** Where the page gets runs from: a server, or the file that it is. */
export interface Source {
  /** A file holds one run, and cannot follow or stop it. */
  readonly kind: 'server' | 'file';
  /** Of a file: the run it holds. */
  readonly only: string | null;
  list(query: ListQuery): Promise<BriefPage>;
  overview(id: string): Promise<Overview>;
  runs(id: string, from: number): Promise<Page<RunLine>>;
  turns(id: string, run: string, from: number): Promise<Page<TurnView>>;
  calls(id: string, from: number): Promise<Page<CallLine>>;
  text(id: string, ref: string): Promise<string>;
  search(id: string, words: string, signal: AbortSignal): Promise<Matches>;
  /** Calls back at each event of a run that is at work. The returned function ends it. */
  follow(id: string, onEvent: (event: LiveEvent) => void, onState: (connected: boolean) => void): () => void;
  act(id: string, action: 'cancel' | 'finish'): Promise<void>;
}

/** The part of an event that the page uses. */
export interface LiveEvent {
  readonly type: string;
  readonly text?: string;
  readonly turn?: number;
  readonly attempt?: number;
  readonly status?: string;
  readonly id?: string;
}

/** A refusal of the server. */
export class SourceError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'SourceError';
    this.status = status;
  }
}

/** Reads a list to its end. */
export async function allPages<T>(
  read: (from: number) => Promise<Page<T>>,
  onPage?: (soFar: T[]) => void,
): Promise<T[]> {
  const items: T[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page: Page<T> = await read(from);
    items.push(...page.items);
    from = page.next;
    if (from !== null) onPage?.([...items]);
  }
  return items;
}
