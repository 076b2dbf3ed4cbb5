import { messageOf, RlmError } from '../../errors.ts';
import type { ReplBindings, ReplInfo, ReplLimits, RestartInfo } from '../port.ts';
import { encodeBindings } from './bind-command.ts';
import { GuestLost } from './guest-command.ts';
import { type GuestEnd, wasKilled } from './guest-ended.ts';
import type { GuestLink } from './guest-link.ts';
import { recoverGuest } from './recover-guest.ts';
import type { RecoveredGuest, ReplDriver } from './repl-driver.ts';
import { checkResult } from './results.ts';
import { readFlag, readString, readStrings } from './shape.ts';

/** A guest that was lost between two commands, with all that its cells had made. */
export interface LostBefore {
  readonly lost: GuestLost;
  readonly restarted: RestartInfo;
}

/** What {@link GuestLife} is made with. */
export interface GuestLifeOptions {
  readonly limits: ReplLimits;
  readonly driver: ReplDriver;
  /** Nothing is brought back any more. */
  readonly isClosed: () => boolean;
}

/** One guest after another for the same REPL: each has what was bound, and each that is lost is followed by the next. */
export class GuestLife {
  readonly #options: GuestLifeOptions;
  #link: GuestLink;
  /** Cells or bash have run: there is something to lose. */
  #worked = false;
  /** Everything bound so far, for a guest that starts afresh or goes back behind a binding. */
  readonly #bound: ReplBindings[] = [];

  constructor(options: GuestLifeOptions) {
    this.#options = options;
    this.#link = options.driver.link;
  }

  /** To the guest of this moment. */
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
      pythonVersion: readString(fields, 'python', 100),
      isolation: driver.isolation,
      threads: readFlag(fields, 'threads'),
      packages: readStrings(fields, 'packages', 1000),
      shell: driver.shell,
    };
  }

  async bind(bindings: ReplBindings): Promise<void> {
    if (this.#link.failure !== undefined) await this.recover(this.#link.failure);
    await this.#send(bindings);
    this.#bound.push(bindings);
  }

  /** Goes on with a guest that stands where it stood at `mark`: what the host bound since then is no doing of the cells. */
  async goOn(link: GuestLink, mark: number): Promise<void> {
    this.#link = link;
    for (const bindings of this.#bound.slice(mark)) await this.#send(bindings);
  }

  /** Ends what is left of the guest and brings one back. @throws RlmError `repl-failure` when that cannot be done */
  async recover(failure: RlmError): Promise<RestartInfo & { readonly fresh: boolean }> {
    const { driver, limits, isClosed } = this.#options;
    if (isClosed()) throw closedError();
    const reason = reasonOf(failure);
    const killed = wasKilled(failure);
    let recovered: RecoveredGuest;
    try {
      recovered = await recoverGuest({ driver, limits, reason });
      this.#link = recovered.link;
      if (recovered.fresh) {
        await this.hello();
        for (const bindings of this.#bound) await this.#send(bindings);
      }
    } catch (error) {
      throw lostForGood({ reason, killed }, error);
    }
    return { reason, lost: recovered.lost, fresh: recovered.fresh, ...(killed && { killed }) };
  }

  /** Brings back a guest that was lost between two commands; told only when nothing is left of what the cells had made. */
  async broughtBack(): Promise<LostBefore | undefined> {
    const { failure } = this.#link;
    if (failure === undefined) return undefined;
    const { fresh, ...restarted } = await this.recover(failure);
    if (!fresh || !this.#worked) return undefined;
    this.#worked = false;
    const nothing = { text: '', dropped: 0 };
    return {
      lost: new GuestLost(failure, { stdout: nothing, stderr: nothing, durationMs: 0, stopped: undefined }),
      restarted,
    };
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
    const { header, parts } = await encodeBindings(bindings, (file) => this.#options.driver.describeFile(file));
    checkResult(await this.#link.command({ op: 'bind', header, parts }));
  }
}

/** A use of a REPL after `close()`. */
export function closedError(): RlmError {
  return new RlmError({ code: 'session-closed', message: 'The REPL is closed.' });
}

/** What happened to a guest, as a phrase. */
function reasonOf(error: RlmError): string {
  return typeof error.data.reason === 'string' ? error.data.reason : error.message;
}

function lostForGood({ reason, killed }: GuestEnd, cause: unknown): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The REPL was lost (${reason}) and could not be brought back: ${messageOf(cause)}`,
    cause,
    data: { reason, ...(killed && { killed }) },
  });
}
