import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import type {
  Answer,
  AnswerFound,
  AnswerLookup,
  BashOutcome,
  BashRequest,
  CellOutcome,
  CellRequest,
  JsonValue,
  Repl,
  ReplLimits,
  SnapshotInfo,
  VariableInfo,
} from '../port.ts';
import { encodeExact } from './frame.ts';
import { type GuestCommand, GuestLost, type GuestResult } from './guest-command.ts';
import { closedError, GuestLife, lostBefore, UNFIT } from './guest-life.ts';
import type { ReplDriver } from './repl-driver.ts';
import {
  checkResult,
  explainStop,
  lostBash,
  lostOutcome,
  parseAllVariables,
  parseAnswer,
  parseAnswerFound,
  parseBash,
  parseOutcome,
  parseValue,
} from './results.ts';
import { field, readObject } from './shape.ts';
import { createSnapshotIndex } from './snapshot-index.ts';

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
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();
  const guest = new GuestLife({ limits, driver, isClosed: () => closed });
  const index = createSnapshotIndex(driver, limits.maxSnapshots);

  /** One thing after the other, in the order in which they were asked for. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = tail.then(() => {
      if (closed) throw closedError();
      return work();
    });
    tail = run.catch(() => {});
    return run;
  }

  /** Parses a result. An invalid one ends the guest, as every violation of the protocol does. */
  function parse<T>(result: GuestResult, read: (result: GuestResult) => T, ends = VIOLATION): T {
    try {
      const understood = read(result);
      driver.understood?.();
      return understood;
    } catch (error) {
      if (!RlmError.isInstance(error) || !ends.has(error.code)) throw error;
      guest.link.ended(error);
      throw new GuestLost(error, result);
    }
  }

  /** Sends a command; a guest that is lost by it is restored, and the error says what is lost. */
  async function send<T>(command: GuestCommand, read: (result: GuestResult) => T): Promise<T> {
    let result: GuestResult;
    try {
      result = await guest.link.command(command);
    } catch (error) {
      if (!(error instanceof GuestLost)) throw error;
      const loss = lostBefore(error, await guest.recover(error));
      // Who lists variables may not look at errors: a later command has to report the loss.
      if (command.op === 'variables') guest.keep(loss);
      throw loss.lost;
    }
    return parse(result, read);
  }

  /** Runs a command that is not a cell. If its guest was lost before it, it is not sent. */
  async function ask<T>(command: GuestCommand, read: (result: GuestResult) => T): Promise<T> {
    const before = await guest.broughtBack();
    if (before !== undefined) throw before.lost;
    return await send(command, read);
  }

  /** The names there are, also after a loss: the next command reports that. */
  async function listVariables(): Promise<readonly VariableInfo[]> {
    const before = await guest.broughtBack();
    if (before !== undefined) guest.keep(before);
    return await send({ op: 'variables' }, parseAllVariables);
  }

  async function setVariable(name: string, value: JsonValue): Promise<void> {
    await ask({ op: 'set', header: { name }, parts: [encodeExact(JSON.stringify(value))] }, (result) => {
      guest.changed(); // a refused one counts in the guest as well
      return checkResult(result);
    });
  }

  async function execute(cell: CellRequest): Promise<CellOutcome> {
    const limitMs = cell.timeoutMs ?? limits.cellTimeoutMs;
    const before = await guest.ready();
    if (before !== undefined) return lostOutcome(before.lost, limitMs, before.restarted);
    try {
      const result = await guest.link.command({
        op: 'execute',
        header: { handle: cell.handle },
        // Half a character is not valid source code: Python would refuse the whole cell.
        parts: [encodeExact(cell.code.toWellFormed())],
        timeoutMs: limitMs,
        ...defined({ signal: cell.signal, onOutput: cell.onOutput }),
      });
      guest.changed();
      return explainStop(
        parse(result, (it) => parseOutcome(it, limits), UNFIT),
        result.stopped,
        limitMs,
      );
    } catch (error) {
      if (!(error instanceof GuestLost)) throw error;
      const { restarted } = await guest.recover(error);
      return lostOutcome(error, limitMs, restarted);
    }
  }

  async function bash(given: BashRequest): Promise<BashOutcome> {
    // A shell reads bytes, and half a character has none.
    const request = { ...given, command: given.command.toWellFormed() };
    const before = await guest.ready();
    if (before !== undefined) return lostBash(before.lost, before.restarted);
    if (driver.bash !== undefined) return driver.bash(request);
    const limitMs = request.timeoutMs ?? limits.cellTimeoutMs;
    try {
      const result = await guest.link.command({
        op: 'bash',
        header: { handle: request.handle, timeout_ms: limitMs },
        parts: [encodeExact(request.command)],
        timeoutMs: limitMs,
        ...defined({ signal: request.signal }),
      });
      guest.changed();
      return parse(result, parseBash, UNFIT);
    } catch (error) {
      if (!(error instanceof GuestLost)) throw error;
      const { restarted } = await guest.recover(error);
      return lostBash(error, restarted);
    }
  }

  async function takeSnapshot(name: string): Promise<SnapshotInfo> {
    const before = await guest.broughtBack();
    if (before !== undefined) throw before.lost;
    return index.take(name, guest.mark);
  }

  async function rollback(name: string): Promise<void> {
    const { link, mark } = await index.restore(name);
    await guest.goOn(link, mark);
  }

  const info = await guest.hello();
  return {
    info,
    bind: (bindings) => inTurn(() => guest.bind(bindings)),
    execute: (cell) => inTurn(() => execute(cell)),
    bash: (command) => inTurn(() => bash(command)),
    answer: (lookup: AnswerLookup, signal?: AbortSignal): Promise<AnswerFound> =>
      inTurn(() => ask(lookupCommand(lookup, signal), (result) => parseAnswerFound(result, limits))),
    draft: (): Promise<Answer | undefined> =>
      inTurn(() =>
        ask({ op: 'draft' }, (result) => {
          const found = field(checkResult(result), 'answer');
          return found === undefined ? undefined : parseAnswer(readObject(found, 'an answer'), result.parts, limits);
        }),
      ),
    variables: () => inTurn(listVariables),
    getVariable: (name) => inTurn(() => ask({ op: 'get', header: { name } }, parseValue)),
    setVariable: (name, value) => inTurn(() => setVariable(name, value)),
    snapshot: (name) => inTurn(() => takeSnapshot(name)),
    rollback: (name) => inTurn(() => rollback(name)),
    deleteSnapshot: (name) => inTurn(() => index.remove(name)),
    snapshots: () => inTurn(async () => index.list()),
    async close() {
      if (closed) return;
      closed = true;
      guest.link.ended('the REPL was closed');
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
