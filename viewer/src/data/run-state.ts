import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  allPages,
  type CallLine,
  type LiveEvent,
  type Overview,
  type RunLine,
  type Source,
  type TurnView,
} from './source.ts';

/** Milliseconds between two looks at a run that is at work, at least. */
const LOOK_MS = 400;
/** Milliseconds between two looks at the children of a run that is at work. */
const CHILD_LOOK_MS = 3_000;
/** A look may take this part of the time, up to a pause that a reader would take for a hang. */
const LOOK_SHARE = 8;
const MOST_PAUSE_MS = 5_000;

/** A run as the page has it so far. */
export interface RunState {
  readonly id: string;
  readonly overview: ReadonlySignal<Overview | null>;
  readonly runs: ReadonlySignal<ReadonlyMap<string, RunLine>>;
  /** By run; absent until the run is opened. */
  readonly turns: (run: string) => ReadonlySignal<readonly TurnView[] | null>;
  /** Null until they are wanted. */
  readonly calls: ReadonlySignal<readonly CallLine[] | null>;
  readonly callsDone: ReadonlySignal<boolean>;
  readonly error: ReadonlySignal<string | null>;
  /** The reply that the model writes, as far as it has come. */
  readonly draft: ReadonlySignal<string>;
  /** The output of the cell that runs. */
  readonly output: ReadonlySignal<string>;
  readonly progress: ReadonlySignal<string>;
  /** It is at work, and the page follows it. */
  readonly live: ReadonlySignal<boolean>;
  readonly connected: ReadonlySignal<boolean>;
  wantTurns(run: string): void;
  wantCalls(): void;
  act(action: 'cancel' | 'finish'): Promise<void>;
  close(): void;
}

/** Characters of a draft that are shown: its end. */
const DRAFT_CHARS = 20_000;

/** Loads a run, and follows it while it is at work. */
export function openRun(id: string, source: Source): RunState {
  const overview = signal<Overview | null>(null);
  const runs = signal<ReadonlyMap<string, RunLine>>(new Map());
  const turns = new Map<string, Signal<readonly TurnView[] | null>>();
  const wanted = new Set<string>();
  const calls = signal<readonly CallLine[] | null>(null);
  const callsDone = signal(false);
  let wantsCalls = false;
  const error = signal<string | null>(null);
  const [draft, output, progress] = [signal(''), signal(''), signal('')];
  const [live, connected] = [signal(false), signal(true)];
  let closed = false;
  let poll: ReturnType<typeof setInterval> | undefined;
  let stopFollowing: (() => void) | undefined;

  const turnsOf = (run: string): Signal<readonly TurnView[] | null> => {
    const known = turns.get(run);
    if (known !== undefined) return known;
    const made = signal<readonly TurnView[] | null>(null);
    turns.set(run, made);
    return made;
  };
  const failed = (cause: unknown): void => {
    if (!closed) error.value = cause instanceof Error ? cause.message : String(cause);
  };

  /** The last turn may have changed; those before it have not. */
  const loadTurns = async (run: string): Promise<void> => {
    const known = turnsOf(run).value ?? [];
    const keep = known.slice(0, Math.max(0, known.length - 1));
    for (let from: number | null = keep.length; from !== null; ) {
      const page = await source.turns(id, run, from);
      keep.push(...page.items);
      turnsOf(run).value = [...keep];
      from = page.next;
    }
  };
  const loadCalls = async (): Promise<void> => {
    const first = calls.value === null;
    const all = await allPages(
      (from) => source.calls(id, from),
      (soFar) => {
        if (first) calls.value = soFar;
      },
    );
    batch(() => {
      calls.value = all;
      callsDone.value = true;
    });
  };
  const loadHead = async (): Promise<void> => {
    const [head, lines] = await Promise.all([source.overview(id), allPages((from) => source.runs(id, from))]);
    batch(() => {
      overview.value = head;
      runs.value = new Map(lines.map((line) => [line.id, line]));
      error.value = null;
    });
    // A file shows a run as it was: it has no process to follow.
    if (head.facts.status !== 'running' || source.kind === 'file') end();
    else if (stopFollowing === undefined && !closed) begin();
  };
  const look = async (): Promise<void> => {
    await loadHead();
    for (const run of wanted) await loadTurns(run);
    if (wantsCalls) await loadCalls();
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking = false;
  let again = false;
  let pause = LOOK_MS;
  /** `now`: without a pause, for what the reader waits for. */
  const lookSoon = (now = false): void => {
    if (closed || (timer !== undefined && !now)) return;
    if (looking) {
      again = true;
      if (now) pause = 0;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(
      async () => {
        timer = undefined;
        looking = true;
        const began = performance.now();
        pause = LOOK_MS;
        await look().catch(failed);
        const took = performance.now() - began;
        if (pause > 0) pause = Math.min(MOST_PAUSE_MS, Math.max(LOOK_MS, LOOK_SHARE * took));
        looking = false;
        if (again) {
          again = false;
          lookSoon();
        }
      },
      now ? 0 : pause,
    );
  };

  const onEvent = (event: LiveEvent): void => {
    const { type, text = '' } = event;
    if (type === 'model.delta') draft.value = (draft.value + text).slice(-DRAFT_CHARS);
    else if (type === 'cell.output') output.value = (output.value + text).slice(-DRAFT_CHARS);
    else if (type === 'run.progress') progress.value = event.status ?? '';
    else {
      if (type === 'turn.started') draft.value = '';
      if (type === 'cell.completed' || type === 'command.parsed') output.value = '';
      lookSoon(type === 'run.completed');
    }
  };
  function begin(): void {
    live.value = true;
    // Events of children are not sent.
    poll = setInterval(() => lookSoon(), CHILD_LOOK_MS);
    stopFollowing = source.follow(id, onEvent, (isConnected) => {
      connected.value = isConnected;
      // It may have missed the end.
      if (!isConnected) lookSoon();
    });
  }
  function end(): void {
    clearInterval(poll);
    stopFollowing?.();
    batch(() => {
      live.value = false;
      draft.value = '';
      output.value = '';
      progress.value = '';
    });
  }

  // The turns of the root are asked for beside the head, not behind it.
  wanted.add(id);
  void Promise.all([loadHead(), loadTurns(id)]).catch(failed);
  return {
    ...{ id, overview, runs, calls, callsDone, error, draft, output, progress, live, connected },
    turns: turnsOf,
    wantTurns(run) {
      if (wanted.has(run)) return;
      wanted.add(run);
      void loadTurns(run).catch(failed);
    },
    wantCalls() {
      if (wantsCalls) return;
      wantsCalls = true;
      void loadCalls().catch(failed);
    },
    async act(action) {
      await source.act(id, action);
      lookSoon(true);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(poll);
      stopFollowing?.();
    },
  };
}
