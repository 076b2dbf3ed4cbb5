import { messageOf, RlmError } from '../../errors.ts';
import type {
  Answer,
  AnswerFound,
  AnswerLookup,
  BashOutcome,
  BashRequest,
  CellOutcome,
  CellRequest,
  Repl,
  ReplBindings,
  ReplInfo,
  ReplLimits,
  RestartInfo,
  SnapshotInfo,
  VariableInfo,
} from '../port.ts';
import { parseAnswer } from './answers.ts';
import { encodeBindings } from './bind-command.ts';
import { explainStop, lostOutcome } from './cell-outcome.ts';
import { type GuestCommand, GuestLost, type GuestResult } from './guest-command.ts';
import { type GuestEnd, wasKilled } from './guest-ended.ts';
import { recoverGuest, UNFIT } from './recover-guest.ts';
import type { RecoveredGuest, ReplDriver } from './repl-driver.ts';
import { checkResult, parseAnswerFound, parseOutcome, parseValue, parseVariables } from './results.ts';
import { field, readFlag, readInteger, readObject, readString, readStrings } from './shape.ts';
import { createSnapshotShelf } from './snapshot-shelf.ts';
import { encodeExact } from './text.ts';

const VIOLATION: ReadonlySet<string> = new Set(['channel-violation']);

/** Options of {@link createGuestRepl}. */
export interface GuestReplOptions {
  readonly limits: ReplLimits;
  readonly driver: ReplDriver;
}

/**
 * A REPL over a guest: everything of the port that is the same for all backends.
 *
 * @throws RlmError `repl-failure` when the guest does not say hello
 */
export async function createGuestRepl(options: GuestReplOptions): Promise<Repl> {
  const { limits, driver } = options;
  let link = driver.link;
  let closed = false;
  /** Cells or bash have run: there is something to lose. */
  let worked = false;
  let tail: Promise<unknown> = Promise.resolve();
  /** Everything bound so far, for a guest that starts afresh or goes back behind a binding. */
  const bound: ReplBindings[] = [];
  const shelf = createSnapshotShelf(driver, limits.maxSnapshots);

  /** One thing after the other, in the order in which they were asked for. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = tail.then(() => {
      if (closed) throw closedError();
      return work();
    });
    tail = run.catch(() => {});
    return run;
  }

  async function hello(): Promise<ReplInfo> {
    const result = await link.command({ op: 'hello', header: { limits } });
    const fields = checkResult(result);
    return {
      backend: driver.backend,
      pythonVersion: readString(fields, 'python', 100),
      isolation: driver.isolation,
      threads: readFlag(fields, 'threads'),
      packages: readStrings(fields, 'packages', 1000),
      shell: driver.shell,
    };
  }

  async function sendBindings(bindings: ReplBindings): Promise<void> {
    const { header, parts } = await encodeBindings(bindings, (file) => driver.describeFile(file));
    checkResult(await link.command({ op: 'bind', header, parts }));
  }

  async function recover(failure: RlmError): Promise<RestartInfo & { readonly fresh: boolean }> {
    if (closed) throw closedError();
    const reason = reasonOf(failure);
    const killed = wasKilled(failure);
    let recovered: RecoveredGuest;
    try {
      recovered = await recoverGuest({ driver, limits, reason });
      link = recovered.link;
      if (recovered.fresh) {
        await hello();
        for (const bindings of bound) await sendBindings(bindings);
      }
    } catch (error) {
      throw lostForGood({ reason, killed }, error);
    }
    return { reason, lost: recovered.lost, fresh: recovered.fresh, ...(killed && { killed }) };
  }

  /** A command that is no cell: a guest that was lost before is brought back first, one lost by it afterwards. */
  async function ask(command: GuestCommand): Promise<GuestResult> {
    const before = await broughtBack();
    if (before !== undefined) throw before.lost;
    try {
      return await link.command(command);
    } catch (error) {
      if (error instanceof GuestLost) await recover(error);
      throw error;
    }
  }

  /** Brings back a guest that was lost between two commands; told only when nothing is left of what the cells had made. */
  async function broughtBack(): Promise<{ readonly lost: GuestLost; readonly restarted: RestartInfo } | undefined> {
    const { failure } = link;
    if (failure === undefined) return undefined;
    const { fresh, ...restarted } = await recover(failure);
    if (!fresh || !worked) return undefined;
    worked = false;
    const nothing = { text: '', dropped: 0 };
    return {
      lost: new GuestLost(failure, { stdout: nothing, stderr: nothing, durationMs: 0, stopped: undefined }),
      restarted,
    };
  }

  /** A command on what earlier ones left: one whose guest was lost since then with all of that is not run. */
  async function ready(): Promise<Awaited<ReturnType<typeof broughtBack>>> {
    const before = await broughtBack();
    if (before !== undefined) return before;
    worked = true;
    await driver.beforeCommand?.();
    return undefined;
  }

  async function execute(cell: CellRequest): Promise<CellOutcome> {
    const limitMs = cell.timeoutMs ?? limits.cellTimeoutMs;
    const before = await ready();
    if (before !== undefined) return lostOutcome(before.lost, limitMs, before.restarted);
    try {
      const result = await link.command({
        op: 'execute',
        header: { handle: cell.handle },
        // As source code, half a character is none: Python would refuse the whole cell.
        parts: [encodeExact(cell.code.toWellFormed())],
        timeoutMs: limitMs,
        ...(cell.signal === undefined ? {} : { signal: cell.signal }),
        ...(cell.onOutput === undefined ? {} : { onOutput: cell.onOutput }),
      });
      return explainStop(
        parse(result, (it) => parseOutcome(it, limits), UNFIT),
        result.stopped,
        limitMs,
      );
    } catch (error) {
      if (!(error instanceof GuestLost)) throw error;
      const { fresh: _, ...restarted } = await recover(error);
      return lostOutcome(error, limitMs, restarted);
    }
  }

  /** Reads a result; one that breaks the rules ends the guest as any other violation. */
  function parse<T>(result: GuestResult, read: (result: GuestResult) => T, ends = VIOLATION): T {
    try {
      return read(result);
    } catch (error) {
      if (!RlmError.isInstance(error) || !ends.has(error.code)) throw error;
      link.ended(error);
      throw new GuestLost(error, result);
    }
  }

  async function askFor<T>(command: GuestCommand, read: (result: GuestResult) => T): Promise<T> {
    return parse(await ask(command), read);
  }

  async function bash(given: BashRequest): Promise<BashOutcome> {
    // A shell reads bytes: what is no character has none.
    const request = { ...given, command: given.command.toWellFormed() };
    const before = await ready();
    if (before !== undefined) return lostBash(before.lost, before.restarted);
    if (driver.bash !== undefined) return driver.bash(request);
    const limitMs = request.timeoutMs ?? limits.cellTimeoutMs;
    try {
      const result = await link.command({
        op: 'bash',
        header: { handle: request.handle, timeout_ms: limitMs },
        parts: [encodeExact(request.command)],
        timeoutMs: limitMs,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      return parse(result, parseBash, UNFIT);
    } catch (error) {
      if (!(error instanceof GuestLost)) throw error;
      const { fresh: _, ...restarted } = await recover(error);
      return lostBash(error, restarted);
    }
  }

  async function rollback(name: string): Promise<void> {
    const restored = await shelf.restore(name);
    link = restored.link;
    // What the host bound since then is no doing of the cells: it stays.
    for (const bindings of bound.slice(restored.mark)) await sendBindings(bindings);
  }

  const info = await hello();
  return {
    info,
    bind: (bindings) =>
      inTurn(async () => {
        if (link.failure !== undefined) await recover(link.failure);
        await sendBindings(bindings);
        bound.push(bindings);
      }),
    execute: (cell) => inTurn(() => execute(cell)),
    bash: (command) => inTurn(() => bash(command)),
    answer: (lookup: AnswerLookup, signal?: AbortSignal): Promise<AnswerFound> =>
      inTurn(() => askFor(lookupCommand(lookup, signal), (result) => parseAnswerFound(result, limits))),
    draft: (): Promise<Answer | undefined> =>
      inTurn(() =>
        askFor({ op: 'draft' }, (result) => {
          const found = field(checkResult(result), 'answer');
          return found === undefined ? undefined : parseAnswer(readObject(found, 'an answer'), result.parts, limits);
        }),
      ),
    variables: (): Promise<readonly VariableInfo[]> =>
      inTurn(() => askFor({ op: 'variables' }, (result) => parseVariables(checkResult(result)))),
    getVariable: (name) => inTurn(() => askFor({ op: 'get', header: { name } }, parseValue)),
    setVariable: (name, value) =>
      inTurn(async () => {
        const parts = [encodeExact(JSON.stringify(value))];
        await askFor({ op: 'set', header: { name }, parts }, checkResult);
      }),
    snapshot: (name): Promise<SnapshotInfo> =>
      inTurn(async () => {
        const before = await broughtBack();
        if (before !== undefined) throw before.lost;
        return shelf.take(name, bound.length);
      }),
    rollback: (name) => inTurn(() => rollback(name)),
    deleteSnapshot: (name) => inTurn(() => shelf.remove(name)),
    snapshots: () => inTurn(async () => shelf.list()),
    async close() {
      if (closed) return;
      closed = true;
      link.ended('the REPL was closed');
      await driver.close();
    },
  };
}

function lookupCommand(lookup: AnswerLookup, signal: AbortSignal | undefined): GuestCommand {
  const abort = signal === undefined ? {} : { signal };
  return lookup.kind === 'identifier'
    ? { op: 'answer', header: { kind: lookup.kind, name: lookup.name }, ...abort }
    : { op: 'answer', header: { kind: lookup.kind }, parts: [encodeExact(lookup.source)], ...abort };
}

function parseBash(result: GuestResult): BashOutcome {
  const exitCode = readInteger(checkResult(result), 'exit_code', -1000, 1000);
  const { stdout, stderr, durationMs, stopped } = result;
  return { ok: exitCode === 0, exitCode, stdout, stderr, durationMs, timedOut: stopped === 'deadline' };
}

function lostBash({ record }: GuestLost, restarted: RestartInfo): BashOutcome {
  const { stdout, stderr, durationMs, stopped } = record;
  return { ok: false, exitCode: 137, stdout, stderr, durationMs, timedOut: stopped === 'deadline', restarted };
}

/** What happened to a guest, as a phrase. */
function reasonOf(error: RlmError): string {
  return typeof error.data.reason === 'string' ? error.data.reason : error.message;
}

function closedError(): RlmError {
  return new RlmError({ code: 'session-closed', message: 'The REPL is closed.' });
}

function lostForGood({ reason, killed }: GuestEnd, cause: unknown): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The REPL was lost (${reason}) and could not be brought back: ${messageOf(cause)}`,
    cause,
    data: { reason, ...(killed && { killed }) },
  });
}
