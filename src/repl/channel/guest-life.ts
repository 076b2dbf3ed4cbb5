import { messageOf, RlmError } from '../../errors.ts';
import { type ReplBindings, type ReplInfo, type ReplLimits, type RestartInfo, wasKilled } from '../port.ts';
import { checkBound, encodeBindings } from './bind-command.ts';
import { type GuestEnd, GuestLost } from './guest-command.ts';
import type { GuestLink } from './guest-link.ts';
import { MAX_NAME_CHARS } from './limits.ts';
import { AS_AFTER_LAST, AS_BEFORE, AS_BEFORE_LAST, type RecoveredGuest, type ReplDriver } from './repl-driver.ts';
import { checkResult, parseOutcome } from './results.ts';
import { readFlag, readInteger, readShown, readShownList } from './shape.ts';

/** A guest that was lost between two commands, with all that its cells had made. */
export interface LostBefore {
  readonly lost: GuestLost;
  readonly restarted: RestartInfo;
}

/** A guest that is back. */
interface Recovered extends Pick<RecoveredGuest, 'fresh' | 'current'> {
  readonly restarted: RestartInfo;
}

/** A loss between two commands, or in a command that is not a cell. */
export function lostBefore(failure: RlmError, { current, restarted: { lost: words, ...rest } }: Recovered): LostBefore {
  const lost = words === AS_BEFORE ? (current ? AS_AFTER_LAST : AS_BEFORE_LAST) : words;
  const restarted = { ...rest, lost };
  const nothing = { text: '', dropped: 0 };
  const record = { stdout: nothing, stderr: nothing, durationMs: 0, stopped: undefined };
  return { lost: new GuestLost(failure, record, restarted), restarted };
}

/** The options of {@link GuestLife}. */
export interface GuestLifeOptions {
  readonly limits: ReplLimits;
  readonly driver: ReplDriver;
  /** The REPL is closed: no guest is restored any more. */
  readonly isClosed: () => boolean;
}

/** One guest after another for the same REPL: each has what was bound, and each that is lost is followed by the next. */
export class GuestLife {
  readonly #options: GuestLifeOptions;
  #link: GuestLink;
  /** Cells or bash have run: there is something to lose. */
  #worked = false;
  /** Commands that have changed the state of the guest. */
  #changes = 0;
  /** A loss that no command has reported yet. */
  #unreported: LostBefore | undefined;
  /** Everything bound so far, for a guest that starts from scratch or goes back to before a binding. */
  readonly #bound: ReplBindings[] = [];

  constructor(options: GuestLifeOptions) {
    this.#options = options;
    this.#link = options.driver.link;
  }

  /** The link to the present guest. */
  get link(): GuestLink {
    return this.#link;
  }

  /** How much is bound, to come back to. */
  get mark(): number {
    return this.#bound.length;
  }

  /** @throws RlmError `repl-failure` when the guest does not answer */
  async hello(): Promise<ReplInfo> {
    const { driver, limits } = this.#options;
    const fields = checkResult(await this.#link.command({ op: 'hello', header: { limits } }));
    return {
      backend: driver.backend,
      pythonVersion: readShown(fields, 'python', MAX_NAME_CHARS),
      isolation: driver.isolation,
      threads: readFlag(fields, 'threads'),
      packages: readShownList(fields, 'packages', { items: 1000, chars: MAX_NAME_CHARS }),
      shell: driver.shell,
    };
  }

  async bind(bindings: ReplBindings): Promise<void> {
    this.#unreported = await this.broughtBack();
    await this.#send(bindings);
    this.#bound.push(bindings);
  }

  /**
   * Continues with a guest in the state it had at `mark`. Later bindings of the host are sent again: a rollback undoes
   * only the work of cells.
   */
  async goOn(link: GuestLink, mark: number): Promise<void> {
    this.#link = link;
    this.#changes = await changesOf(link, this.#options.limits);
    for (const bindings of this.#bound.slice(mark)) await this.#send(bindings);
  }

  /** Ends what is left of the guest and restores one. @throws RlmError `repl-failure` when that cannot be done */
  async recover(failure: RlmError): Promise<Recovered> {
    const { driver, limits, isClosed } = this.#options;
    if (isClosed()) throw closedError();
    const reason = reasonOf(failure);
    const killed = wasKilled(failure);
    let recovered: CountedGuest;
    try {
      recovered = await recoverGuest({ driver, limits, reason, changes: this.#changes });
      this.#link = recovered.link;
      if (recovered.fresh) {
        await this.hello();
        for (const bindings of this.#bound) await this.#send(bindings);
      }
    } catch (error) {
      throw lostForGood({ reason, killed }, error);
    }
    const { fresh, current, lost } = recovered;
    this.#changes = recovered.changes;
    if (fresh) this.#worked = false;
    return { fresh, current, restarted: { reason, lost, ...(killed && { killed }) } };
  }

  /** Brings back a guest that was lost between two commands; reports it when something is lost that earlier ones made. */
  async broughtBack(): Promise<LostBefore | undefined> {
    const { failure } = this.#link;
    const earlier = this.#unreported;
    this.#unreported = undefined;
    if (failure === undefined) return earlier;
    const worked = this.#worked;
    const recovered = await this.recover(failure);
    if (recovered.fresh ? !worked : recovered.current) return earlier;
    return lostBefore(failure, recovered);
  }

  /** Keeps a loss for the next command that can report it. */
  keep(loss: LostBefore): void {
    this.#unreported = loss;
  }

  /** A command that may have changed variables or files has ended. */
  changed(): void {
    this.#changes += 1;
  }

  /** Before a command on what earlier ones left: one whose guest was lost since then with all of that is not run. */
  async ready(): Promise<LostBefore | undefined> {
    const before = await this.broughtBack();
    if (before !== undefined) return before;
    this.#worked = true;
    await this.#options.driver.beforeCommand?.();
    return undefined;
  }

  async #send(bindings: ReplBindings): Promise<void> {
    const { driver } = this.#options;
    if (bindings.files !== undefined && bindings.files.length > 0) await driver.showFiles(bindings.files);
    const { header, parts } = await encodeBindings(bindings, (file) => driver.describeFile(file));
    checkBound(await this.#link.command({ op: 'bind', header, parts }), bindings);
  }
}

/** A use of a REPL after `close()`. */
export function closedError(): RlmError {
  return new RlmError({ code: 'session-closed', message: 'The REPL is closed.' });
}

/** Says what happened to a guest, as a phrase. */
function reasonOf(error: RlmError): string {
  return typeof error.data.reason === 'string' ? error.data.reason : error.message;
}

function lostForGood({ reason, killed }: GuestEnd, cause: unknown): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The REPL was lost (${reason}) and could not be restored: ${messageOf(cause)}`,
    cause,
    data: { reason, ...(killed && { killed }) },
  });
}

/** A guest that cannot run a cell any more (an audit hook of an earlier one raises, for example) counts as lost. */
export const UNFIT: ReadonlySet<string> = new Set(['channel-violation', 'repl-failure']);
/** Milliseconds for a cell without code, on a guest that has just been restored. */
const EMPTY_CELL_MS = 5_000;

export interface Recovery {
  readonly driver: ReplDriver;
  readonly limits: ReplLimits;
  /** Why the guest was lost. */
  readonly reason: string;
  /** Commands that had changed the state of the lost guest. */
  readonly changes: number;
}

/** A guest that is back, with the number of commands that have changed its state. */
export interface CountedGuest extends RecoveredGuest {
  readonly changes: number;
}

/**
 * Restores a guest from its last snapshot. Where cells had already damaged it by then, every later guest would be lost
 * too, so it starts from scratch.
 */
export async function recoverGuest({ driver, limits, reason, changes }: Recovery): Promise<CountedGuest> {
  try {
    const recovered = await driver.recover(reason, 'snapshot');
    if (recovered.fresh) return { ...recovered, changes: 0 };
    const held = await changesOf(recovered.link, limits);
    const empty = { op: 'execute', header: { handle: 'recovered' }, parts: [Buffer.alloc(0)] };
    const result = await recovered.link.command({ ...empty, timeoutMs: EMPTY_CELL_MS });
    if (parseOutcome(result, limits).ok) {
      return { ...recovered, current: recovered.current && held === changes, changes: held + 1 };
    }
  } catch (error) {
    if (!RlmError.isInstance(error) || !UNFIT.has(error.code)) throw error;
  }
  return { ...(await driver.recover(reason, 'scratch')), changes: 0 };
}

/** How many commands had changed the state that a guest has. */
export async function changesOf(link: GuestLink, limits: ReplLimits): Promise<number> {
  const hello = await link.command({ op: 'hello', header: { limits } });
  return readInteger(checkResult(hello), 'changes', 0, Number.MAX_SAFE_INTEGER);
}
